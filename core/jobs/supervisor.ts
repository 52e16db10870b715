/** Follows runs to their end and stores what came of them: the job's end, or its next attempt. */
import type { JobStore } from "../state/store.ts";
import type { SignalName } from "../values/signal.ts";
import type { JobChanges } from "./changes.ts";
import type { Clock } from "../schedule/clock.ts";
import { isTerminal, type Job, nextAttempt, transition, type Usage } from "./job.ts";
import { isRetried, type RunEnd, terminalStatus } from "./outcome.ts";
import type { Run } from "./runner.ts";

interface Followed {
  readonly run: Run;
  readonly concluded: Promise<Job | undefined>;
  stopRequested: boolean;
}

export interface SupervisorParts {
  readonly store: JobStore;
  readonly changes: JobChanges;
  readonly clock: Clock;
  readonly onError: (what: string, error: unknown) => void;
  /** Told of every attempt that is over and stored, with the job as it is then. */
  readonly onConcluded: (job: Job) => void;
}

export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #followed = new Map<string, Followed>();
  readonly #idle = new Set<() => void>();

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
  }

  /** Watches over a run of a stored job. */
  follow(id: string, run: Run, stopRequested = false): void {
    const concluded = run.ended.then((end) => this.conclude(id, end));
    const followed: Followed = { run, concluded, stopRequested };
    this.#followed.set(id, followed);
    concluded.catch((error: unknown) => this.#parts.onError(`store the end of job ${id}`, error)).finally(() => {
      if (this.#followed.get(id) === followed) this.#followed.delete(id);
      if (this.#followed.size === 0) this.#idle.forEach((resolve) => resolve());
    });
  }

  isRunning(id: string): boolean {
    return this.#followed.has(id);
  }

  /** What a job's run uses now; undefined if it does not run. */
  usage(id: string): Usage | undefined {
    return this.#followed.get(id)?.run.usage();
  }

  /** Stores the end of an attempt. @param lostDetail why nobody saw it, if nobody did */
  async conclude(id: string, end: RunEnd, lostDetail = "its init was killed"): Promise<Job | undefined> {
    const stopRequested = this.#followed.get(id)?.stopRequested ?? false;
    const stored = await this.#parts.changes.settle(id, (job) => {
      if (isTerminal(job.status.state)) return undefined;
      const ended = terminalStatus(job, end, { stopRequested, lostDetail });
      if (!isRetried(job, ended, stopRequested)) return transition(job, ended);
      const at = new Date(ended.endedAt.getTime() + (job.spec.retry?.delayMs ?? 0));
      const due = at.getTime() <= this.#parts.clock.now();
      return nextAttempt(job, ended, due ? { state: "pending" } : { state: "scheduled", at });
    });
    if (stored) this.#parts.onConcluded(stored);
    return stored;
  }

  /** Asks a run to end. @returns resolves when its end is stored; undefined if the job does not run */
  stop(id: string, signal: SignalName, graceMs: number): Promise<Job | undefined> | undefined {
    const followed = this.#followed.get(id);
    if (!followed) return undefined;
    followed.stopRequested = true;
    followed.run.stop(signal, graceMs);
    return followed.concluded;
  }

  /** Resolves when the end of this job's run, if it has one, is stored. */
  async ended(id: string): Promise<void> {
    await this.#followed.get(id)?.concluded;
  }

  /** Resolves when nothing runs any more. */
  async whenIdle(): Promise<void> {
    if (this.#followed.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle.add(resolve);
    await promise;
    this.#idle.delete(resolve);
  }

  /** Lets go of all runs without ending them; those that have just ended are stored first. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#followed.values()].map(async ({ run, concluded }) => {
      if (await run.release()) await concluded;
    }));
  }
}
