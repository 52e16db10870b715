import assert from "node:assert/strict";
import { Code, ConnectError } from "@connectrpc/connect";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { JobSchema, JobState, LogStream } from "../../../proto/gen/joblet/v1/job_pb.ts";
import { fakeCli } from "../../testing/fake_cli.ts";
import { statusText } from "./status_text.ts";

const ID = "a62dfccc-2ff9-411d-a9ef-d4812ed3d867";
const face = "jobc" as const;

for (
  const [words, command, args] of [
    [["sleep", "60"], "sleep", ["60"]],
    [["ls", "-la", "/"], "ls", ["-la", "/"]],
    [["--timeout", "5s", "--", "-x", "--help"], "-x", ["--help"]],
    [["-e", "A=1", "--max-cpu=50", "env", "-i"], "env", ["-i"]],
  ] as const
) {
  Deno.test(`jobc start ${words.join(" ")} prints only the id of a job of '${command}'`, async () => {
    let seen: unknown;
    const cli = fakeCli({
      runJob: ({ spec }) => {
        seen = [spec?.command, spec?.args];
        return { job: { id: ID } };
      },
    }, { face });
    assert.equal(await cli.run("start", ...words), 0);
    assert.deepEqual([seen, cli.out(), cli.err()], [[command, args], `${ID}\n`, ""]);
  });
}

for (
  const [flags, wanted] of [
    [[], ["SIGKILL", undefined]],
    [["--grace", "0"], ["SIGKILL", undefined]],
    [["--grace", "1500ms"], ["", 1.5]],
  ] as const
) {
  Deno.test(`jobc stop ${flags.join(" ")} asks for ${wanted[0] || "a signal, and a kill after the grace"}`, async () => {
    let seen: unknown;
    const cli = fakeCli({
      stopJob: ({ signal, grace }) => {
        seen = [signal, grace && Number(grace.seconds) + grace.nanos / 1e9];
        return { job: { id: ID } };
      },
    }, { face });
    assert.equal(await cli.run("stop", ...flags, ID), 0);
    assert.deepEqual([seen, cli.out(), cli.err()], [wanted, "", ""]);
  });
}

const JOBS: readonly (readonly [MessageInitShape<typeof JobSchema>, string])[] = [
  [{ state: JobState.PENDING, exitCode: 3 }, "pending"],
  [{ state: JobState.SCHEDULED }, "pending"],
  [{ state: JobState.INITIALIZING }, "running"],
  [{ state: JobState.RUNNING }, "running"],
  [{ state: JobState.STOPPING }, "running"],
  [{ state: JobState.COMPLETED, exitCode: 0 }, "finished (exit code: 0)"],
  [{ state: JobState.FAILED, exitCode: 7 }, "finished (exit code: 7)"],
  [{ state: JobState.FAILED, signal: 11 }, "stopped (signal: 11)"],
  [{ state: JobState.STOPPED, signal: 9 }, "stopped (signal: 9)"],
  [{ state: JobState.STOPPED, exitCode: 5 }, "finished (exit code: 5)"],
  [{ state: JobState.TIMEOUT, signal: 15 }, "stopped (signal: 15)"],
  [{ state: JobState.CANCELED }, "canceled"],
  [{ state: JobState.LOST }, "lost"],
  [{ state: JobState.FAILED, startFailure: { message: 'exec "x": not\nfound' } }, 'failed (exec "x": not\\u{a}found)'],
];

for (const [job, text] of JOBS) {
  Deno.test(`jobc status says '${text}' of a job in the state ${JobState[job.state!]}`, () => {
    assert.equal(statusText(create(JobSchema, job)), text);
  });
}

Deno.test("jobc logs follows unless told not to, and --raw keeps the streams apart byte for byte", async () => {
  const follows: boolean[] = [];
  const service = {
    async *streamLogs({ follow }: { readonly follow: boolean }) {
      follows.push(follow);
      const frame = (stream: LogStream, data: Uint8Array) => ({ stream, data });
      yield {
        frames: [frame(LogStream.STDOUT, Uint8Array.of(255, 10)), frame(LogStream.STDERR, Uint8Array.of(101))],
        nextOffset: 1n,
        endedJob: { id: ID },
      };
    },
  };
  const raw = fakeCli(service, { face });
  assert.equal(await raw.run("logs", "--raw", ID), 0);
  assert.deepEqual([raw.outBytes(), raw.err()], [Uint8Array.of(255, 10), "e"]);
  const json = fakeCli(service, { face });
  assert.equal(await json.run("logs", "--no-follow", ID), 0);
  assert.equal(json.out().split("\n").length, 3);
  assert.deepEqual(follows, [true, false]);
});

Deno.test("jobc tells what the server refused in one line under its own name", async () => {
  const cli = fakeCli({
    getJob: () => {
      throw new ConnectError("Cannot find job a6", Code.NotFound);
    },
  }, { face });
  assert.equal(await cli.run("status", "a6"), 1);
  assert.deepEqual([cli.out(), cli.err()], ["", "jobc: Cannot find job a6\n"]);
});
