import assert from "node:assert/strict";
import { EndReason, JobState, LogStream } from "../../../proto/gen/joblet/v1/job_pb.ts";
import { fakeCli } from "../../testing/fake_cli.ts";
import { workerState } from "./states.ts";
import { shortBytes } from "./status_view.ts";

const ID = "550e8400-e29b-41d4-a716-446655440000";
const face = "jobworker" as const;
const MIB = 1n << 20n;

Deno.test("jobworker start takes a command line in one word and options behind it, and prints a sentence with the id", async () => {
  let seen: unknown;
  const cli = fakeCli({
    runJob: ({ spec }) => {
      const { command, args, limits, timeout } = spec!;
      seen = [command, args, limits?.cpuWeight, limits?.memoryBytes, limits?.ioWeight, timeout?.seconds];
      return { job: { id: ID, state: JobState.RUNNING } };
    },
  }, { face });
  const flags = ["--cpu-weight", "1024", "--memory-limit", "100M", "--io-weight", "100", "--timeout", "5s"];
  assert.equal(await cli.run("start", "echo 'Life is Great'", ...flags), 0);
  assert.deepEqual(seen, ["echo", ["Life is Great"], 1024, 100n * MIB, 100, 5n]);
  assert.deepEqual([cli.out(), cli.err()], [`Job started. ID: ${ID}\n`, ""]);
});

Deno.test("jobworker start fails, and names the job, if the program could not be started", async () => {
  const startFailure = { step: "exec", message: 'exec "x": not found', exitCode: 127 };
  const cli = fakeCli({ runJob: () => ({ job: { id: ID, state: JobState.FAILED, startFailure } }) }, { face });
  assert.equal(await cli.run("start", "x"), 1);
  assert.deepEqual([cli.out(), cli.err()], ["", `jobworker: Cannot start job ${ID}: exec "x": not found\n`]);
});

Deno.test("jobworker status prints a line for the state and for each figure, in its units", async () => {
  const usage = {
    cpuUser: { seconds: 0n, nanos: 1_000_000 },
    cpuSystem: { seconds: 0n, nanos: 24_000 },
    memoryBytes: 512n * MIB,
    memoryPeakBytes: 600n * MIB,
    ioReadBytes: 4n * MIB,
    ioWriteBytes: 0n,
  };
  const running = fakeCli({ getJob: () => ({ job: { id: ID, state: JobState.RUNNING, usage } }) }, { face });
  assert.equal(await running.run("status", ID), 0);
  const text = "CPU Usage: 1024 uS\nMemory Usage: 512MB\nI/O Read: 4MB\nI/O Write: 0B\n";
  assert.equal(running.out(), `Status: RUNNING\n${text}`);

  const job = { id: ID, state: JobState.FAILED, endReason: EndReason.SIGNALED, signal: 9 };
  const ended = fakeCli({ getJob: () => ({ job: { ...job, usage: { memoryPeakBytes: 1536n } } }) }, { face });
  assert.equal(await ended.run("status", ID), 0);
  assert.deepEqual(ended.out().trimEnd().split("\n"), [
    "Status: FAILED",
    "CPU Usage: not measured",
    "Memory Usage: 1.5KB",
    "I/O Read: not measured",
    "I/O Write: not measured",
    "Signal: 9 (SIGKILL)",
    "Reason: SIGNALED",
  ]);
});

Deno.test("shortBytes keeps to one decimal and to the largest unit that fits", () => {
  const cases = [0n, 1023n, 1024n, 1536n, 1048575n, 5n << 40n, 5000n << 40n].map(shortBytes);
  assert.deepEqual(cases, ["0B", "1023B", "1KB", "1.5KB", "1MB", "5TB", "5000TB"]);
});

Deno.test("jobworker stream prints the bytes of both streams in their order on stdout", async () => {
  const piece = (stream: LogStream, ...bytes: number[]) => ({ stream, data: Uint8Array.from(bytes) });
  const cli = fakeCli({
    async *streamLogs({ id, follow, offset }) {
      assert.deepEqual([id, follow, offset], [ID, true, 0n]);
      yield { frames: [piece(LogStream.STDOUT, 1, 255), piece(LogStream.STDERR, 2)], nextOffset: 3n };
      yield { frames: [piece(LogStream.STDOUT, 3)], nextOffset: 4n, endedJob: { id: ID } };
    },
  }, { face });
  assert.equal(await cli.run("stream", ID), 0);
  assert.deepEqual([cli.outBytes(), cli.err()], [Uint8Array.of(1, 255, 2, 3), ""]);
});

Deno.test("jobworker stop leaves signal and grace to the server and prints state and id", async () => {
  const cli = fakeCli({
    stopJob: ({ signal, grace }) => {
      assert.deepEqual([signal, grace], ["", undefined]);
      return { job: { id: ID, state: JobState.STOPPED } };
    },
  }, { face });
  assert.equal(await cli.run("stop", "550e"), 0);
  assert.equal(cli.out(), `Status: STOPPED\nJob ID: ${ID}\n`);
});

Deno.test("every state of a job has one of jobworker's five names", () => {
  const states = Object.values(JobState).filter((state) => typeof state === "number");
  const names = Object.fromEntries(states.map((state) => [JobState[state], workerState(state)]));
  assert.deepEqual(names, {
    UNSPECIFIED: "PENDING",
    PENDING: "PENDING",
    SCHEDULED: "PENDING",
    INITIALIZING: "PENDING",
    RUNNING: "RUNNING",
    STOPPING: "RUNNING",
    COMPLETED: "COMPLETED",
    FAILED: "FAILED",
    STOPPED: "STOPPED",
    CANCELED: "STOPPED",
    TIMEOUT: "FAILED",
    LOST: "FAILED",
  });
});
