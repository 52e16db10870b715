import assert from "node:assert/strict";
import { parse } from "../../core/values/std_yaml.ts";
import { requires } from "../harness/requires.ts";
import { TestServer } from "../harness/server.ts";

const GRPC_NOT_FOUND = 5;
const GRPC_UNIMPLEMENTED = 12;

Deno.test({
  ...requires("root", "cgroup2", "node"),
  name: "a stock grpc-js client under Node runs, streams, watches and stops jobs through each package",
  async fn() {
    const folder = new URL("grpc_js/", import.meta.url).pathname;
    await run(Deno.execPath(), ["install", "--quiet", "--frozen=false", "--node-modules-dir=auto"], folder);
    await using server = await TestServer.start();
    const config = parse(await Deno.readTextFile(`${server.home}/config/rnx-config.yml`)) as {
      nodes: Record<string, unknown>;
    };
    const file = `${server.home}/peer.json`;
    await Deno.writeTextFile(file, JSON.stringify(config.nodes["default"]));
    const seen = JSON.parse(await run("node", ["peer.js", String(server.port), file], folder));
    const output = "from grpc-js\n";
    assert.deepEqual(seen, {
      "joblet.v1": {
        output,
        exitCode: 4,
        stopped: "JOB_STATE_STOPPED",
        last: "JOB_STATE_STOPPED",
        unknown: GRPC_NOT_FOUND,
      },
      jobworker: {
        output,
        ended: "FAILED",
        measured: true,
        stopped: "STOPPED",
        took: true,
        last: "STOPPED",
        listed: true,
        unknown: GRPC_NOT_FOUND,
      },
      joblet: {
        output,
        ended: ["FAILED", 4],
        stopped: "STOPPED",
        followed: 0,
        scheduled: "SCHEDULED",
        canceled: "CANCELED",
        listed: true,
        deleted: true,
        unknown: GRPC_NOT_FOUND,
        networks: GRPC_UNIMPLEMENTED,
        message: "Cannot use max_memory -1: it must be at least 0",
      },
    });
  },
});

async function run(command: string, args: string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
