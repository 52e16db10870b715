/** A job's output: that of its attempts, one after the other, as one stream that can be resumed anywhere. */
import { EngineError } from "../errors.ts";
import type { LogBatch, LogQuery, WriterEnd } from "../logs/log.ts";
import type { LogStore } from "../logs/log_store.ts";
import { isTerminal, isWaiting, type Job } from "./job.ts";
import type { JobEvents } from "./job_events.ts";
import { fromPosition, toPosition } from "./log_position.ts";

export interface JobLogParts {
  readonly id: string;
  readonly logs: LogStore;
  readonly events: JobEvents;
  /** The job as it is. @throws {EngineError} kind "not_found" once it is deleted */
  readonly read: () => Job;
  /** Resolves when the end of the run that has just written its last is stored. */
  readonly settled: () => Promise<void>;
}

/** The batches of `LogQuery`; the last one, and only if all was delivered, has the ended job. */
export async function* readJobLog(parts: JobLogParts, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogBatch> {
  const { follow = false, streams, sinceNs, untilNs } = query;
  const filter = {
    ...(streams === undefined ? {} : { streams }),
    ...(sinceNs === undefined ? {} : { sinceNs }),
    ...(untilNs === undefined ? {} : { untilNs }),
  };
  let { attempt, offset, tail } = startOf(parts.read(), query);
  let complete = false;
  for (;; attempt++, offset = 0, tail = {}) {
    if (follow) await untilBegun(parts, attempt, signal);
    if (signal.aborted) return;
    const found = look(parts, attempt);
    complete = found === "nothing";
    if (found !== "output") break;
    const request = { ...filter, ...tail, offset, follow, signal };
    for await (const batch of parts.logs.read({ id: parts.id, attempt }, request, writerEnd(parts, attempt))) {
      complete = batch.end;
      offset = batch.nextOffset;
      // The first attempt's positions are its offsets.
      const pieces = attempt === 1
        ? batch.pieces
        : batch.pieces.map((piece) => ({ ...piece, offset: toPosition(attempt, piece.offset) }));
      yield { pieces, attempt, nextOffset: toPosition(attempt, offset) };
    }
    if (signal.aborted) return;
    if (!complete) break;
    // The journal ends a moment before the run's end is stored, and only that tells whether another attempt follows.
    await parts.settled();
    if (query.attempt !== undefined || parts.read().attempt === attempt) break;
  }
  const job = parts.read();
  if (!complete || !isTerminal(job.status.state)) return;
  yield { pieces: [], attempt, nextOffset: toPosition(attempt, offset), endedJob: job };
}

interface Start {
  readonly attempt: number;
  readonly offset: number;
  readonly tail: { readonly tailLines?: number };
}

function startOf(job: Job, { attempt: only, offset: position = 0, tailLines }: LogQuery): Start {
  if (only !== undefined && !(Number.isInteger(only) && only >= 1 && only <= job.attempt)) {
    throw new EngineError("invalid", `Cannot read attempt ${only} of job ${job.id}: it has had ${job.attempt}`);
  }
  if (tailLines !== undefined && position > 0) {
    throw new EngineError("invalid", "Cannot read the last lines from an offset on: give one or the other");
  }
  const tail = tailLines === undefined ? {} : { tailLines };
  if (position === 0) return { attempt: only ?? (tailLines === undefined ? 1 : lastBegun(job)), offset: 0, tail };
  const start = fromPosition(position);
  if (start.attempt <= job.attempt && (only ?? start.attempt) === start.attempt) return { ...start, tail };
  throw new EngineError(
    "invalid",
    `Cannot read the log of job ${job.id} from offset '${position}': it must be 0 or a next offset received before`,
  );
}

/** The attempt that tells most of now: the present one, or the one before if that has not begun. */
function lastBegun(job: Job): number {
  return Math.max(1, isWaiting(job) ? job.attempt - 1 : job.attempt);
}

/** Waits until the attempt's program was started, or never will be. */
async function untilBegun(parts: JobLogParts, attempt: number, signal: AbortSignal): Promise<void> {
  const hasBegun = (job: Job) =>
    job.attempt > attempt || (job.attempt === attempt && !isWaiting(job) && job.status.state !== "initializing");
  const begun = Promise.withResolvers<void>();
  // Subscribed before the look, so that no change between them is missed.
  using _subscription = parts.events.subscribe(parts.id, (job) => {
    if (hasBegun(job) || isTerminal(job.status.state)) begun.resolve();
  });
  const job = parts.read();
  if (hasBegun(job) || isTerminal(job.status.state) || signal.aborted) return;
  signal.addEventListener("abort", () => begun.resolve(), { once: true });
  await begun.promise;
}

/** What there is of an attempt: "nothing" will ever come, or "nothing yet". @throws {EngineError} it was removed */
function look(parts: JobLogParts, attempt: number): "output" | "nothing" | "nothing yet" {
  const job = parts.read();
  const { status } = job;
  if (job.attempt >= attempt && parts.logs.exists({ id: parts.id, attempt })) return "output";
  if (!isTerminal(status.state) && job.attempt <= attempt) return "nothing yet";
  const ran = job.attempt > attempt || ("startedAt" in status && status.startedAt !== undefined);
  if (!ran) return "nothing";
  throw new EngineError(
    "not_found",
    `Cannot read the log of job ${job.id}: it was removed to keep logs within their bounds`,
  );
}

/** Whether the attempt's output is complete: the job is beyond it. */
function writerEnd(parts: JobLogParts, attempt: number): WriterEnd {
  const isOver = (job: Job) => job.attempt > attempt || isTerminal(job.status.state);
  return {
    get value() {
      return isOver(parts.read());
    },
    onEnd: (listener) =>
      parts.events.subscribe(parts.id, (job) => {
        if (isOver(job)) listener();
      }),
  };
}
