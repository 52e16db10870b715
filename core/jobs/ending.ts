/** Ending jobs from outside: a stop, or the canceling of one that waits. */
import { EngineError } from "../errors.ts";
import type { Clock } from "../schedule/clock.ts";
import type { JobStore } from "../state/store.ts";
import type { SignalName } from "../values/signal.ts";
import type { JobChanges } from "./changes.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { isTerminal, isWaiting, type Job } from "./job.ts";
import type { AdmissionQueue } from "./queue.ts";
import type { ScheduledJobs } from "./scheduled_jobs.ts";
import type { StopOptions } from "./spec.ts";
import type { Supervisor } from "./supervisor.ts";

export interface EndingParts {
  readonly store: JobStore;
  readonly changes: JobChanges;
  readonly queue: AdmissionQueue;
  readonly dispatcher: Dispatcher;
  readonly supervisor: Supervisor;
  readonly scheduled: ScheduledJobs;
  readonly clock: Clock;
  readonly stopGraceMs: number;
  /** The job as it is. @throws {EngineError} kind "not_found" */
  readonly get: (id: string) => Job;
  readonly onCanceled: () => void;
}

export class Ending {
  readonly #parts: EndingParts;

  constructor(parts: EndingParts) {
    this.#parts = parts;
  }

  /** See Engine.stop. */
  async stop(id: string, options: StopOptions): Promise<Job> {
    for (;;) {
      await this.#parts.dispatcher.started(id);
      const job = this.#parts.get(id);
      if (isTerminal(job.status.state)) return job;
      // What came between, a turn that came or an attempt that ended, is looked at anew.
      const ended = await (isWaiting(job) ? this.#tryCancel(job) : this.#stopRun(job, options));
      if (ended && isTerminal(ended.status.state)) return ended;
    }
  }

  /** @returns the job when its run has ended; undefined if its end is being stored already */
  async #stopRun(job: Job, options: StopOptions): Promise<Job | undefined> {
    const { supervisor, changes, stopGraceMs } = this.#parts;
    const { signal = "SIGTERM", graceMs = stopGraceMs } = options;
    if (!supervisor.isRunning(job.id)) {
      if (changes.isClosed) {
        throw new EngineError("unavailable", `Cannot stop job ${job.id}: the server is shutting down`);
      }
      await changes.pause();
      return undefined;
    }
    await this.#noteStop(job, signal, graceMs);
    return await supervisor.stop(job.id, signal, graceMs);
  }

  /** Stored before the signal goes out, so that whoever reads the end knows that a stop was asked for. */
  async #noteStop(job: Job, signal: SignalName, graceMs: number): Promise<void> {
    if (job.status.state !== "running") return;
    const { clock, changes } = this.#parts;
    const now = clock.now();
    const { startedAt } = job.status;
    const killAt = new Date(now + graceMs);
    try {
      await changes.move(job, { state: "stopping", startedAt, requestedAt: new Date(now), signal, killAt });
    } catch (error) {
      // A full disk must not keep the job alive that fills it. A conflict: it ends, or another stop came first.
      if (!(error instanceof EngineError)) throw error;
    }
  }

  /** See Engine.cancel. */
  async cancel(id: string): Promise<Job> {
    for (;;) {
      const job = this.#parts.get(id);
      const { state } = job.status;
      if (state === "canceled") return job;
      if (!isWaiting(job)) {
        const cure = isTerminal(state) ? "it has ended" : `it is ${state}; stop it`;
        throw new EngineError("precondition", `Cannot cancel job '${job.id}': ${cure}`);
      }
      const canceled = await this.#tryCancel(job);
      if (canceled) return canceled;
    }
  }

  /** @returns undefined if the job's turn came first */
  async #tryCancel({ id, version }: Job): Promise<Job | undefined> {
    const { clock, store, changes, queue, scheduled, onCanceled } = this.#parts;
    const stored = store.get(id);
    if (stored?.version !== version) return undefined;
    try {
      const endedAt = new Date(clock.now());
      const canceled = await changes.move(stored, { state: "canceled", reason: "canceled", endedAt });
      queue.remove(id);
      scheduled.remove(id);
      onCanceled();
      return canceled;
    } catch (error) {
      if (error instanceof EngineError && error.kind === "conflict") return undefined;
      throw error;
    }
  }
}
