import assert from "node:assert/strict";
import { Code, ConnectError } from "@connectrpc/connect";
import { EndReason, JobState } from "../proto/gen/joblet/v1/job_pb.ts";
import { fakeCli } from "./testing/fake_cli.ts";

const ID = "0fb570a0-6753-4486-b3e5-9e84cd0a03ca";

Deno.test("a defect is one line and exit code 1, never a stack trace", async () => {
  const cli = fakeCli({ getJob: () => ({}) });
  assert.equal(await cli.run("status", "a"), 1);
  assert.match(cli.err(), /^joblet: Cannot show the job[^\n]*\n$/);
});

Deno.test("a host command's failure is one line and exit code 1", async () => {
  const certsInit = () => Promise.reject(new Deno.errors.PermissionDenied("Permission denied (os error 13)"));
  const cli = fakeCli({}, { host: { certsInit } });
  assert.equal(await cli.run("certs", "init"), 1);
  assert.equal(cli.err(), "joblet: Permission denied (os error 13)\n");
});

for (
  const [code, line] of [
    [Code.NotFound, "joblet: why\n"],
    [Code.PermissionDenied, "joblet: Not allowed: why\n"],
    [Code.FailedPrecondition, "joblet: why\n"],
    [Code.Unauthenticated, /Cannot log in at fake:1: why/],
    [Code.Unavailable, /Cannot reach the server at fake:1: why/],
    [Code.DeadlineExceeded, /Cannot get an answer from the server at fake:1/],
  ] as const
) {
  Deno.test(`status answers ${Code[code]} with exit code 1 and words`, async () => {
    const cli = fakeCli({
      getJob: () => {
        throw new ConnectError("why\nsecond line", code);
      },
    });
    assert.equal(await cli.run("status", "a"), 1);
    typeof line === "string" ? assert.equal(cli.err(), line) : assert.match(cli.err(), line);
    assert.equal(cli.err().split("\n").length, 2);
  });
}

Deno.test("what a server says itself when it can't do something now is shown as it is", async () => {
  const cli = fakeCli({
    getJob: () => {
      throw new ConnectError("Cannot start a job: the server is shutting down", Code.Unavailable);
    },
  });
  assert.equal(await cli.run("status", "a"), 1);
  assert.equal(cli.err(), "joblet: Cannot start a job: the server is shutting down\n");
});

Deno.test("ps reads every page, stops at its limit and has no colours in a pipe", async () => {
  const sizes: number[] = [];
  const page = (n: number) =>
    Array.from({ length: n }, () => ({ id: ID, state: JobState.RUNNING, spec: { command: "x" } }));
  const cli = fakeCli({
    listJobs: ({ pageSize, pageToken }) => {
      sizes.push(pageSize);
      return { jobs: page(Math.min(pageSize, 2)), nextPageToken: `${pageToken}n` };
    },
  });
  assert.equal(await cli.run("ps", "--limit", "5"), 0);
  assert.deepEqual(sizes, [5, 3, 1]);
  assert.equal(cli.out().trimEnd().split("\n").length, 6);
  assert.equal(cli.out().includes("\x1b"), false);
});

Deno.test("ps --json prints [] when there are no jobs", async () => {
  const cli = fakeCli({ listJobs: () => ({}) });
  assert.equal(await cli.run("--json", "ps"), 0);
  assert.deepEqual(JSON.parse(cli.out()), []);
});

Deno.test("status names the signal a job died of and keeps control characters from the terminal", async () => {
  const job = {
    id: ID,
    state: JobState.FAILED,
    endReason: EndReason.SIGNALED,
    signal: 9,
    spec: { command: "a\x1b[2Jb" },
  };
  const cli = fakeCli({ getJob: () => ({ job }) });
  assert.equal(await cli.run("job", "status", ID), 0);
  assert.match(cli.out(), /signal 9 \(SIGKILL\)/);
  assert.equal(cli.out().includes("\x1b"), false);
});

Deno.test("wait exits as the last job did and with 1 if a job's stream ends too early", async () => {
  const codes: Record<string, number> = { a: 3, b: 4 };
  const cli = fakeCli({
    async *watchJob({ id }) {
      yield { job: { id, state: JobState.RUNNING } };
      const exitCode = codes[id];
      if (exitCode !== undefined) yield { job: { id, state: JobState.FAILED, exitCode } };
    },
  });
  assert.equal(await cli.run("wait", "a", "b"), 4);
  assert.equal(await cli.run("wait", "c"), 1);
});

Deno.test("--help ends quietly when its reader has gone", async () => {
  const cli = fakeCli({}, {
    onOut: () => {
      throw new Deno.errors.BrokenPipe("Broken pipe");
    },
  });
  assert.equal(await cli.run("--help"), 141);
  assert.equal(cli.err(), "");
});

Deno.test("an unknown command is told with what was meant", async () => {
  const cli = fakeCli({});
  assert.equal(await cli.run("statsu"), 2);
  assert.match(cli.err(), /did you mean `status`/);
});

Deno.test("__complete proposes commands and their flags, and no '--'", async () => {
  const commands = fakeCli({});
  assert.equal(await commands.run("__complete", "st"), 0);
  assert.deepEqual(commands.out().trimEnd().split("\n").map((line) => line.split("\t")[0]), ["status", "stop"]);
  const flags = fakeCli({});
  await flags.run("__complete", "run", "--max-r");
  assert.deepEqual(flags.out().trimEnd().split("\n").map((line) => line.split("\t")[0]), [
    "--max-read-bps",
    "--max-read-iops",
  ]);
});

for (const [words, drain] of [[["server"], false], [["server", "--drain"], true]] as const) {
  Deno.test(`${words.join(" ")} asks the host for ${drain ? "" : "no "}draining and passes its exit code on`, async () => {
    let seen: unknown;
    const cli = fakeCli({}, { host: { server: (_home, options) => Promise.resolve((seen = options, 3)) } });
    assert.equal(await cli.run(...words), 3);
    assert.deepEqual(seen, { drain });
  });
}

Deno.test("__complete proposes the ids of jobs that a command can act on", async () => {
  const cli = fakeCli({ listJobs: ({ states }) => ({ jobs: [{ id: `${states.length}a` }, { id: "b" }] }) });
  for (const words of [["status", ""], ["stop", ""], ["rm", "x", ""], ["cancel", "2"]]) {
    await cli.run("__complete", ...words);
  }
  const ids = cli.out().split("\n").map((line) => line.split("\t")[0]!).filter((word) => /^\w/.test(word));
  assert.deepEqual(ids, ["0a", "b", "5a", "b", "6a", "b", "2a"]);
});

Deno.test("__complete says nothing when there is no server to ask, and asks none for flags", async () => {
  let asked = 0;
  const cli = fakeCli({
    listJobs: () => {
      asked++;
      throw new ConnectError("away", Code.Unavailable);
    },
  });
  assert.equal(await cli.run("__complete", "stop", "3"), 0);
  assert.deepEqual([cli.out(), cli.err(), asked], ["", "", 1]);
  await cli.run("__complete", "stop", "--gr");
  assert.deepEqual([cli.out().split("\t")[0], asked], ["--grace", 1]);
});

for (
  const words of [
    ...[["run"], ["ps"], ["status"], ["logs"], ["stop"], ["cancel"], ["rm"], ["prune"], ["wait"], ["server"]],
    ...[["job"], ["job", "run"], ["job", "log"], ["job", "delete-all"], ["job", "wait"], ["job", "cancel"]],
  ]
) {
  Deno.test(`${words.join(" ")} --help fits the width of a terminal where it is prose`, async () => {
    const cli = fakeCli({});
    assert.equal(await cli.run(...words, "--help"), 0);
    const prose = cli.out().split("\nFLAGS")[0]!.split("\n");
    assert.deepEqual(prose.filter((line) => line.length > 120), []);
    if (words[0] !== "job" || words.length > 1) assert.match(cli.out(), /EXAMPLES/);
  });
}
