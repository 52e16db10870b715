import assert from "node:assert/strict";
import fc from "fast-check";
import { EngineError } from "../errors.ts";
import type { JournalBatch, LogQuery, RunLogQuery } from "../logs/log.ts";
import type { RunId } from "../logs/log_store.ts";
import { someJob } from "./_job_fixture.ts";
import { type Job, type JobStatus, nextAttempt } from "./job.ts";
import { JobEvents } from "./job_events.ts";
import { readJobLog } from "./job_log.ts";
import { fromPosition, MAX_ATTEMPTS, toPosition } from "./log_position.ts";
import { SimClock } from "./testing/sim_clock.ts";
import { SimHost } from "./testing/sim_host.ts";

const startedAt = new Date(1);
const FAILED = { state: "failed", reason: "exited", endedAt: new Date(2), startedAt } as const;
const RUNNING: JobStatus = { state: "running", startedAt };
const forever = new AbortController().signal;

/** A job whose attempts have written one piece of so many bytes each, which is all. */
class Lab {
  readonly events = new JobEvents();
  readonly queries: (RunLogQuery & RunId)[] = [];
  job: Job;
  readonly sizes: readonly number[];

  constructor(job: Job, ...sizes: readonly number[]) {
    this.job = job;
    this.sizes = sizes;
  }

  read(query: LogQuery = {}, signal: AbortSignal = forever) {
    const logs = {
      ...new SimHost(new SimClock(0)).logs(),
      exists: ({ attempt }: RunId) => (this.sizes[attempt - 1] ?? 0) > 0,
      read: (run: RunId, query: RunLogQuery) => this.#readRun(run, query),
    };
    const read = () => this.job;
    const settled = () => Promise.resolve();
    return readJobLog({ id: this.job.id, logs, events: this.events, read, settled }, query, signal);
  }

  async *#readRun(run: RunId, query: RunLogQuery): AsyncGenerator<JournalBatch> {
    this.queries.push({ ...query, ...run });
    const size = this.sizes[run.attempt - 1]!;
    const data = new Uint8Array(Math.max(0, size - (query.offset ?? 0)));
    const piece = { offset: query.offset ?? 0, stream: "stdout", timeNs: 0n, data, missingBytes: 0 } as const;
    yield await Promise.resolve({ pieces: [piece], nextOffset: size, end: true });
  }

  change(job: Job): void {
    this.job = job;
    this.events.publish(job);
  }
}

function twice(status: JobStatus): Job {
  return { ...nextAttempt(someJob({ status: RUNNING }), FAILED, { state: "pending" }), status };
}

Deno.test("positions keep attempt and offset apart, grow with both, and stay safe integers", () => {
  const place = fc.tuple(fc.integer({ min: 1, max: MAX_ATTEMPTS }), fc.nat(2 ** 31));
  fc.assert(fc.property(place, place, ([a, x], [b, y]) => {
    assert.deepEqual(fromPosition(toPosition(a, x)), { attempt: a, offset: x });
    assert(Number.isSafeInteger(toPosition(a, x)));
    assert.equal(toPosition(a, x) < toPosition(b, y), a < b || (a === b && x < y));
  }));
});

Deno.test("a job's log goes through all attempts and ends with the ended job; it can be resumed in each", async () => {
  const lab = new Lab(twice(FAILED), 100, 50);
  const batches = await Array.fromAsync(lab.read());
  assert.deepEqual(batches.map(({ attempt, nextOffset }) => [attempt, nextOffset]), [
    [1, 100],
    [2, toPosition(2, 50)],
    [2, toPosition(2, 50)],
  ]);
  assert.equal(batches.at(-1)?.endedJob?.id, lab.job.id);
  const rest = await Array.fromAsync(lab.read({ offset: toPosition(2, 20) }));
  assert.deepEqual(rest.flatMap(({ pieces }) => pieces).map(({ offset, data }) => [offset, data.length]), [
    [toPosition(2, 20), 30],
  ]);
});

Deno.test("one attempt's log can be asked for alone, and the last lines are the last attempt's", async () => {
  const lab = new Lab(twice(FAILED), 100, 50);
  await Array.fromAsync(lab.read({ attempt: 1 }));
  await Array.fromAsync(lab.read({ tailLines: 5 }));
  assert.deepEqual(lab.queries.map(({ attempt, tailLines }) => [attempt, tailLines]), [[1, undefined], [2, 5]]);
});

Deno.test("a follower waits for the start of a job that waits, and goes on to the next attempt", async () => {
  const lab = new Lab(someJob({ status: { state: "pending" } }), 100, 50);
  const seen: number[] = [];
  const done = (async () => {
    for await (const { attempt, endedJob } of lab.read({ follow: true })) if (!endedJob) seen.push(attempt);
  })();
  await Promise.resolve();
  lab.change({ ...lab.job, status: RUNNING });
  while (seen.length < 1) await Promise.resolve();
  lab.change(nextAttempt({ ...lab.job, status: RUNNING }, FAILED, { state: "pending" }));
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  assert.deepEqual(seen, [1]);
  lab.change({ ...lab.job, status: RUNNING });
  while (seen.length < 2) await Promise.resolve();
  lab.change({ ...lab.job, status: FAILED });
  await done;
  assert.deepEqual(seen, [1, 2]);
});

Deno.test("a follower of a job that waits ends when that is canceled, and at once when it is told to", async () => {
  const lab = new Lab(someJob({ status: { state: "pending" } }));
  const followed = Array.fromAsync(lab.read({ follow: true }));
  await Promise.resolve();
  lab.change({ ...lab.job, status: { state: "canceled", reason: "canceled", endedAt: startedAt } });
  const [last] = await followed;
  assert.equal(last?.endedJob?.status.state, "canceled");

  const waiting = new Lab(someJob({ status: { state: "pending" } }));
  const abort = new AbortController();
  const aborted = Array.fromAsync(waiting.read({ follow: true }, abort.signal));
  await Promise.resolve();
  abort.abort();
  assert.deepEqual(await aborted, []);
});

Deno.test("a log that was removed, an attempt that never was and an offset beyond are refused, in words", async () => {
  const gone = new Lab({ ...someJob(), status: FAILED });
  const refused = async (lab: Lab, query: LogQuery, kind: string, message: RegExp) =>
    await assert.rejects(
      Array.fromAsync(lab.read(query)),
      (error) => error instanceof EngineError && error.kind === kind && message.test(error.message),
    );
  await refused(gone, {}, "not_found", /was removed/);
  await refused(gone, { attempt: 2 }, "invalid", /it has had 1/);
  await refused(gone, { offset: toPosition(2, 64) }, "invalid", /from offset/);
  await refused(gone, { offset: 64, tailLines: 3 }, "invalid", /one or the other/);
});
