import assert from "node:assert/strict";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { JobState, LogStream } from "../../proto/gen/joblet/v1/job_pb.ts";
import { UnreachableError } from "../errors.ts";
import { fakeCli } from "../testing/fake_cli.ts";

const ID = "0fb570a0-6753-4486-b3e5-9e84cd0a03ca";
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const due = timestampFromDate(new Date("2026-03-01T07:30:00Z"));
const completed = { id: ID, state: JobState.COMPLETED, exitCode: 0 };

for (const words of [["run"], ["run", "--detach"], ["job", "run"]]) {
  Deno.test(`${words.join(" ")} sends a start again with the same key when the connection breaks`, async () => {
    const keys: string[] = [];
    const cli = fakeCli({
      runJob: ({ idempotencyKey }) => {
        if (keys.push(idempotencyKey) < 3) throw new ConnectError("Server is shutting down", Code.Unavailable);
        return { job: { id: ID, state: JobState.RUNNING } };
      },
      async *streamLogs() {
        yield { endedJob: completed };
      },
    });
    assert.equal(await cli.run(...words, "x"), 0);
    assert.match(keys[0]!, UUID);
    assert.deepEqual(keys, [keys[0], keys[0], keys[0]]);
    assert.deepEqual([cli.pauses, cli.err()], [[100, 200], ""]);
  });
}

Deno.test("each start has a key of its own", async () => {
  const keys = new Set<string>();
  const cli = fakeCli({
    runJob: ({ idempotencyKey }) => {
      keys.add(idempotencyKey);
      return { job: { id: ID } };
    },
  });
  await cli.run("run", "-d", "x");
  await cli.run("run", "-d", "x");
  assert.equal(keys.size, 2);
});

Deno.test("run does not send a start again that nobody was there to take, or that was refused", async () => {
  for (
    const error of [
      new ConnectError("refused", Code.Unavailable, undefined, undefined, new UnreachableError("refused")),
      new ConnectError("queue is full", Code.ResourceExhausted),
      new ConnectError("internal error", Code.Internal),
    ]
  ) {
    // The fake transport carries no causes, so the client itself is replaced.
    let calls = 0;
    const cli = fakeCli({}, { runJob: () => (calls++, Promise.reject(error)) });
    assert.equal(await cli.run("run", "x"), 1);
    assert.deepEqual([calls, cli.pauses], [1, []]);
    assert.match(cli.err(), /^joblet: [^\n]*\n$/);
  }
});

Deno.test("run tells what a pending job waits for and follows it once it starts", async () => {
  const cli = fakeCli({
    runJob: () => ({ job: { id: ID, state: JobState.PENDING, waitingFor: "2 GiB of memory" } }),
    async *streamLogs({ follow }) {
      assert.equal(follow, true);
      yield { frames: [{ stream: LogStream.STDOUT, data: new TextEncoder().encode("hi\n") }], nextOffset: 3n };
      yield { nextOffset: 3n, endedJob: { ...completed, state: JobState.FAILED, exitCode: 6 } };
    },
  });
  assert.equal(await cli.run("run", "x"), 6);
  assert.deepEqual([cli.out(), cli.err()], ["hi\n", "joblet: waiting: 2 GiB of memory\n"]);
});

Deno.test("run prints when a scheduled job is due and does not follow it", async () => {
  const cli = fakeCli({ runJob: () => ({ job: { id: ID, state: JobState.SCHEDULED, scheduledAt: due } }) });
  assert.equal(await cli.run("run", "--schedule", "07:30", "x"), 0);
  assert.deepEqual([cli.out(), cli.err()], [`${ID}  scheduled for 2026-03-01T07:30:00.000Z\n`, ""]);
});

Deno.test("run calls a scheduled job off that was interrupted before it was accepted", async () => {
  const stopped: string[] = [];
  const cli = fakeCli({
    runJob: () => {
      cli.interrupt();
      return { job: { id: ID, state: JobState.SCHEDULED, scheduledAt: due } };
    },
    stopJob: ({ id }) => {
      stopped.push(id);
      return {};
    },
  });
  assert.equal(await cli.run("run", "--schedule", "07:30", "x"), 0);
  assert.deepEqual(stopped, [ID]);
});

for (
  const [end, code, line] of [
    [{ state: JobState.CANCELED }, 125, "joblet: the job was canceled\n"],
    [
      { state: JobState.LOST, endDetail: "the host\x1b went down" },
      125,
      "joblet: the job was lost: the host\\u{1b} went down\n",
    ],
    [{ state: JobState.LOST, exitCode: 3 }, 125, "joblet: the job was lost: nobody saw how it ended\n"],
    [{ state: JobState.TIMEOUT, signal: 15 }, 124, ""],
    [{ state: JobState.FAILED, startFailure: { message: "no shell", exitCode: 127 } }, 127, "joblet: no shell\n"],
  ] as const
) {
  Deno.test(`run exits with ${code} when a job that waited ends as ${JobState[end.state]} ('${line.trim()}')`, async () => {
    const cli = fakeCli({
      runJob: () => ({ job: { id: ID, state: JobState.INITIALIZING } }),
      async *streamLogs() {
        yield { endedJob: { id: ID, ...end } };
      },
    });
    assert.equal(await cli.run("run", "x"), code);
    assert.equal(cli.err(), line);
  });
}

Deno.test("job run shows when a job is scheduled, in words and as JSON", async () => {
  const spec = { command: "x", schedule: { when: "07:30" } };
  const service = { runJob: () => ({ job: { id: ID, state: JobState.SCHEDULED, scheduledAt: due, spec } }) };
  const words = fakeCli(service);
  assert.equal(await words.run("job", "run", "--schedule", "07:30", "x"), 0);
  assert.match(words.out(), /^Status: +SCHEDULED\nScheduled: +2026-03-01T07:30:00.000Z$/m);
  const json = fakeCli(service);
  await json.run("job", "run", "--json", "--schedule", "07:30", "x");
  assert.deepEqual(JSON.parse(json.out()), {
    job_uuid: ID,
    command: "x",
    args: [],
    status: "SCHEDULED",
    start_time: "",
    schedule_input: "07:30",
    scheduled_time: "2026-03-01T07:30:00.000Z",
  });
});

Deno.test("job run shows what a pending job waits for", async () => {
  const cli = fakeCli({ runJob: () => ({ job: { id: ID, state: JobState.PENDING, waitingFor: "2 cores" } }) });
  assert.equal(await cli.run("job", "run", "x"), 0);
  assert.match(cli.out(), /^Waiting: +2 cores$/m);
});
