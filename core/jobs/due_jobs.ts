/** What happens when a job's time has come: it waits for its turn, or, if it recurs, a run of it does. */
import { EngineError } from "../errors.ts";
import { parseWhen } from "../schedule/when.ts";
import type { JobStore } from "../state/store.ts";
import { newJobId } from "../values/job_id.ts";
import type { JobChanges } from "./changes.ts";
import type { Clock } from "../schedule/clock.ts";
import { type Job, type JobStateName, transition } from "./job.ts";
import type { AdmissionQueue } from "./queue.ts";
import type { Schedule } from "./spec.ts";

/** A run that is later than this was missed: no server ran when it was due, or the host slept. */
const MISSED_MS = 60_000;
const LIVE: readonly JobStateName[] = ["pending", "scheduled", "initializing", "running", "stopping"];

export interface DueJobsParts {
  readonly store: JobStore;
  readonly changes: JobChanges;
  readonly queue: AdmissionQueue;
  readonly clock: Clock;
  readonly onError: (what: string, error: unknown) => void;
  /** Takes a stored, pending job. */
  readonly enqueue: (job: Job) => void;
  /** Takes a stored job with its next moment. */
  readonly schedule: (job: Job, at: Date) => void;
  /** Ends an earlier run. */
  readonly stop: (id: string) => Promise<unknown>;
}

/** The first moment of a schedule. @throws {EngineError} kind "invalid" */
export function firstMoment(schedule: Schedule, nowMs: number): Date {
  try {
    const when = parseWhen(schedule.when, schedule.timeZone, nowMs);
    const atMs = when.kind === "once" ? when.atMs : when.next(nowMs);
    if (atMs === undefined) throw new RangeError(`Cannot use schedule '${schedule.when}': it comes no more`);
    return new Date(atMs);
  } catch (error) {
    if (error instanceof RangeError) throw new EngineError("invalid", error.message);
    throw error;
  }
}

export class DueJobs {
  readonly #parts: DueJobsParts;

  constructor(parts: DueJobsParts) {
    this.#parts = parts;
  }

  /** To be called when the moment of a scheduled job has come. */
  async onDue(id: string): Promise<void> {
    const job = this.#parts.store.get(id);
    if (job?.status.state !== "scheduled") return;
    // The clock was set back meanwhile.
    if (job.status.at.getTime() > this.#parts.clock.now()) return this.#parts.schedule(job, job.status.at);
    // A later attempt of a run is no recurrence: runs have no schedule of their own.
    const { schedule } = job.spec;
    if (schedule?.kind === "cron") return await this.#recur(job, schedule);
    const pending = await this.#parts.changes.settle(
      id,
      (now) => now.status.state === "scheduled" ? transition(now, { state: "pending" }) : undefined,
    );
    if (pending) this.#parts.enqueue(pending);
  }

  async #recur(job: Job, schedule: Extract<Schedule, { kind: "cron" }>): Promise<void> {
    const { store, changes } = this.#parts;
    for (let told = false;;) {
      const now = store.get(job.id);
      if (now?.status.state !== "scheduled" || now.version !== job.version) return;
      const run = this.#runOf(now, schedule);
      const moved = this.#moved(now, now.status.at.getTime(), schedule);
      try {
        // Together, so that a crash can neither lose nor repeat a run.
        await changes.writeAll([{ replace: moved }, ...(run ? [{ insert: run }] : [])]);
        if (run) this.#parts.enqueue(run);
        if (moved.status.state === "scheduled") this.#parts.schedule(moved, moved.status.at);
        return;
      } catch (error) {
        if (!(error instanceof EngineError) || error.kind !== "exhausted") throw error;
        if (!told) this.#parts.onError(`start a run of job ${job.id}; it is tried again until it succeeds`, error);
        told = true;
        await changes.pause();
        if (changes.isClosed) return;
      }
    }
  }

  /** The recurring job with its next moment. Never one before the last, so that a clock set back repeats no run. */
  #moved(job: Job, atMs: number, schedule: Schedule): Job {
    const nowMs = this.#parts.clock.now();
    const when = parseWhen(schedule.when, schedule.timeZone, nowMs);
    const next = when.kind === "cron" ? when.next(Math.max(atMs, nowMs)) : undefined;
    if (next !== undefined) return transition(job, { state: "scheduled", at: new Date(next) });
    const detail = "its schedule has no more moments";
    return transition(job, { state: "canceled", reason: "canceled", detail, endedAt: new Date(nowMs) });
  }

  /** The run that is due; undefined if a policy leaves it out. */
  #runOf(job: Job, schedule: Extract<Schedule, { kind: "cron" }>): Job | undefined {
    const { store, clock, queue } = this.#parts;
    const nowMs = clock.now();
    if (job.status.state !== "scheduled") return undefined;
    if (schedule.misfire === "skip" && nowMs - job.status.at.getTime() > MISSED_MS) return undefined;
    const earlier = schedule.overlap === "allow" ? [] : store.list({ scheduledBy: job.id, states: LIVE }).jobs;
    if (earlier.length > 0 && schedule.overlap === "skip") return undefined;
    for (const { id } of earlier) {
      this.#parts.stop(id).catch((error: unknown) => this.#parts.onError(`stop the earlier run ${id}`, error));
    }
    try {
      queue.checkRoom(job.owner);
    } catch (error) {
      this.#parts.onError(`start a run of job ${job.id}; it is left out`, error);
      return undefined;
    }
    const { schedule: _, ...spec } = job.spec;
    return {
      id: newJobId(),
      owner: job.owner,
      spec,
      status: { state: "pending" },
      createdAt: new Date(nowMs),
      version: 1,
      attempt: 1,
      earlier: [],
      scheduledBy: job.id,
    };
  }
}
