import assert from "node:assert/strict";
import { parse } from "../../core/values/std_yaml.ts";
import { requires } from "../harness/requires.ts";
import { TestServer } from "../harness/server.ts";

const GRPC_NOT_FOUND = 5;

Deno.test({
  ...requires("root", "cgroup2", "node"),
  name: "a stock grpc-js client under Node runs, follows, watches and stops jobs",
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
    assert.deepEqual(seen, {
      output: "from grpc-js\n",
      exitCode: 4,
      stopped: "JOB_STATE_STOPPED",
      lastState: "JOB_STATE_STOPPED",
      unknown: GRPC_NOT_FOUND,
    });
  },
});

async function run(command: string, args: string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
