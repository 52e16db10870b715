import assert from "node:assert/strict";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { JobService } from "../../../proto/gen/joblet/v1/job_pb.ts";
import type { KnownNode } from "../../context.ts";
import { CliError } from "../../errors.ts";
import { fakeCli } from "../../testing/fake_cli.ts";

const face = "rnx" as const;

function node(name: string, answer: () => void, isDefault = false): KnownNode {
  const listJobs = () => {
    answer();
    return {};
  };
  const transport = createRouterTransport((router) => router.service(JobService, { listJobs }));
  const address = `${name}:1`;
  const jobs = createClient(JobService, transport);
  const connect = () => ({ jobs, address, nodeId: `${name}-id`, [Symbol.dispose]() {} });
  return { name, address, nodeId: `${name}-id`, isDefault, connect };
}

const fail = (message: string, code: Code) => () => {
  throw new ConnectError(message, code);
};
const NODES: readonly KnownNode[] = [
  node("up", () => {}, true),
  node("down", fail("Connection refused", Code.Unavailable)),
  node("slow", fail("late", Code.DeadlineExceeded)),
  node("strange", fail("no role", Code.PermissionDenied)),
  node("foreign", fail("invalid peer certificate: UnknownIssuer", Code.Unavailable)),
  {
    ...node("broken", () => {}),
    connect: () => {
      throw new CliError("Cannot use 'x': node 'broken' has no 'key'");
    },
  },
];

Deno.test("rnx nodes asks every server and tells which is the default", async () => {
  const cli = fakeCli({}, { face, nodes: NODES });
  assert.equal(await cli.run("nodes"), 0);
  const lines = cli.out().split("\n");
  assert.match(lines[0]!, /^ {2}NAME +NODE ID +ADDRESS +STATUS$/);
  assert.match(lines[1]!, /^\* up +up-id +up:1 +active$/);
  assert.match(lines[2]!, /^ {2}down .* unreachable: connection refused$/);
  assert.match(lines[3]!, /unreachable: no answer within 2 s$/);
  assert.match(lines[4]!, /refused: Not allowed: no role$/);
  assert.match(lines[5]!, /refused: Cannot connect to foreign:1: the certificates do not fit/);
  assert.match(lines[6]!, /refused: Cannot use 'x': node 'broken' has no 'key'$/);
});

Deno.test("rnx nodes --json has an object for each server", async () => {
  const cli = fakeCli({}, { face, nodes: NODES.slice(0, 2) });
  assert.equal(await cli.run("--json", "nodes"), 0);
  assert.deepEqual(JSON.parse(cli.out()), [
    { name: "up", address: "up:1", nodeId: "up-id", status: "active", default: true },
    { name: "down", address: "down:1", nodeId: "down-id", status: "unreachable: connection refused", default: false },
  ]);
});

for (
  const [words, status] of [
    [["--version"], "joblet: up at up:1, active"],
    [["-v"], "joblet: up at up:1, active"],
    [["--node", "down", "--version"], "joblet: down at down:1, unreachable: connection refused"],
    [["version", "--node=gone"], "joblet: gone, unknown: no such node in the configuration file"],
  ] as const
) {
  Deno.test(`rnx ${words.join(" ")} tells its own version and whether the server answers`, async () => {
    const cli = fakeCli({}, { face, nodes: NODES });
    assert.equal(await cli.run(...words), 0);
    const [own, server] = cli.out().split("\n");
    assert.match(own!, /^rnx \d+\.\d+\.\d+ \(linux\/\S+, Deno \S+\)$/);
    assert.equal(server, status);
  });
}

Deno.test("rnx --version --json is an object of both", async () => {
  const cli = fakeCli({}, { face, nodes: NODES });
  assert.equal(await cli.run("--json", "--version"), 0);
  const { rnx, joblet } = JSON.parse(cli.out());
  assert.deepEqual(Object.keys(rnx), ["version", "platform", "deno_version"]);
  assert.deepEqual(joblet, { node: "up", address: "up:1", status: "active" });
});

Deno.test("rnx config-help shows how the file is written, without a server or a file", async () => {
  const cli = fakeCli({}, { face });
  assert.equal(await cli.run("config-help"), 0);
  for (const word of ["nodes:", "address:", "isDefault:", "~/.rnx/rnx-config.yml", "/etc/joblet/rnx-config.yml"]) {
    assert(cli.out().includes(word), word);
  }
});
