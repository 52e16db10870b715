/**
 * Keeps what is stored of ended jobs within bounds: records by age and number, output by age and size. The oldest go first,
 * and a job that has not ended is never touched.
 */
import { EngineError } from "../errors.ts";
import type { LogStore } from "../logs/log_store.ts";
import type { Clock } from "../schedule/clock.ts";
import type { EndedJob, JobStore } from "../state/store.ts";
import type { Runner } from "./runner.ts";

/** Absent fields: no bound. */
export interface RetentionLimits {
  /** Ended jobs kept, and for how long after their end. */
  readonly maxJobs?: number;
  readonly maxAgeMs?: number;
  /** Bytes that the output of ended jobs takes on the disk, and how long it is kept after their end. */
  readonly maxLogBytes?: number;
  readonly maxLogAgeMs?: number;
}

export interface RetentionParts {
  readonly store: JobStore;
  readonly logs: LogStore;
  readonly runner: Pick<Runner, "discard">;
  readonly clock: Clock;
  readonly limits: RetentionLimits;
  readonly onError: (what: string, error: unknown) => void;
}

/** Jobs removed at once, between which others have their turn. */
const BATCH = 200;
/** So many ends are waited for before bounds are looked at again, or so long. */
const ENDS_A_LOOK = 500;
const LOOK_MS = 10_000;
/** A timer of the runtime counts no longer than 24 days. */
const MAX_WAIT_MS = 24 * 3_600_000;

export class Retention {
  readonly #parts: RetentionParts;
  #ends = 0;
  #timer: Disposable | undefined;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
  }

  /** Told of each job that has ended: looks soon. */
  onEnded(): void {
    if (++this.#ends >= ENDS_A_LOOK) this.look();
    else this.#wait(LOOK_MS);
  }

  /** Removes what is over a bound, in the background. */
  look(): void {
    this.#ends = 0;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    if (this.#running || this.#closed) return;
    this.#running = this.enforce().catch((error: unknown) => {
      // A full disk: deleting needs a little room too. The next end, or the next due date, is another chance.
      this.#parts.onError("remove what is over the bounds of retention", error);
    }).finally(() => {
      this.#running = undefined;
      this.#waitForNext();
    });
  }

  /** Removes what is over a bound. */
  async enforce(): Promise<void> {
    while (!this.#closed && await this.#removeJobs()) await turn();
    while (!this.#closed && await this.#removeLogs()) await turn();
  }

  async #removeJobs(): Promise<boolean> {
    const { store, limits, clock } = this.#parts;
    const over = store.endedTotals().jobs - (limits.maxJobs ?? Infinity);
    const before = clock.now() - (limits.maxAgeMs ?? Infinity);
    const oldest = store.oldestEnded(BATCH);
    const old = oldest.filter(({ endedMs }, index) => index < over || endedMs <= before);
    await removeJobs(this.#parts, old);
    return old.length === BATCH;
  }

  async #removeLogs(): Promise<boolean> {
    const { store, logs, limits, clock } = this.#parts;
    let over = store.endedTotals().logBytes - (limits.maxLogBytes ?? Infinity);
    const before = clock.now() - (limits.maxLogAgeMs ?? Infinity);
    const old: EndedJob[] = [];
    for (const job of store.oldestEnded(BATCH, { withLogs: true })) {
      if (over <= 0 && job.endedMs > before) break;
      over -= job.logBytes;
      old.push(job);
    }
    await removeLogs(logs, old);
    await Promise.all(old.map(({ id }) => store.noteLogBytes(id, 0)));
    return old.length === BATCH;
  }

  /** Until the oldest job or log reaches its age. */
  #waitForNext(): void {
    const { store, limits, clock } = this.#parts;
    if (this.#closed || this.#timer) return;
    const due = [
      { oldest: store.oldestEnded(1)[0], age: limits.maxAgeMs },
      { oldest: store.oldestEnded(1, { withLogs: true })[0], age: limits.maxLogAgeMs },
    ].flatMap(({ oldest, age }) => oldest && age !== undefined ? [oldest.endedMs + age - clock.now()] : []);
    if (due.length > 0) this.#wait(Math.min(Math.max(LOOK_MS, Math.min(...due)), MAX_WAIT_MS));
  }

  #wait(ms: number): void {
    if (this.#timer || this.#closed) return;
    this.#timer = this.#parts.clock.after(ms, () => {
      this.#timer = undefined;
      this.look();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
    await this.#running;
  }
}

/** Removes ended jobs, first the record: a crash in between leaves output of no job, which the next start removes. */
export async function removeJobs(
  { store, logs, runner }: Pick<RetentionParts, "store" | "logs" | "runner">,
  jobs: readonly Pick<EndedJob, "id" | "attempts">[],
): Promise<void> {
  if (jobs.length === 0) return;
  await store.delete(jobs.map(({ id }) => id));
  await removeLogs(logs, jobs);
  await Promise.all(jobs.map(({ id }) => runner.discard(id)));
}

/** Side by side: one after the other would take a turn of the event loop each, and jobs may end faster than that. */
async function removeLogs(logs: LogStore, jobs: readonly Pick<EndedJob, "id" | "attempts">[]): Promise<void> {
  await Promise.all(jobs.map(({ id, attempts }) => logs.remove(id, attempts)));
}

/**
 * Removes output of jobs that are stored no more, until the signal aborts. Jobs that are made meanwhile are stored before they
 * have output.
 */
export async function removeOrphans(
  { store, logs, onError }: Pick<RetentionParts, "store" | "logs" | "onError">,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const { id, attempt } of logs.list()) {
      if (signal.aborted) return;
      if (!store.get(id)) await logs.remove(id, attempt);
    }
  } catch (error) {
    if (!(error instanceof EngineError) && !(error instanceof Error && "code" in error)) throw error;
    onError("remove output of deleted jobs", error);
  }
}

/** Lets everything else have its turn. */
async function turn(): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
}
