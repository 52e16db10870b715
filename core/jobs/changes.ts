/** Every change of a job goes through here: compare-and-set in the store, told to those who watch. */
import { EngineError } from "../errors.ts";
import type { JobStore, ReplaceOptions } from "../state/store.ts";
import type { Clock } from "../schedule/clock.ts";
import type { Job, JobStatus } from "./job.ts";
import { transition } from "./job.ts";
import type { JobEvents } from "./job_events.ts";

/** Time from a failed write to the next attempt: no event tells that a disk has room again. */
const RETRY_MS = 500;

export class JobChanges {
  readonly #store: JobStore;
  readonly #events: JobEvents;
  readonly #clock: Clock;
  readonly #onError: (what: string, error: unknown) => void;
  readonly #closed = Promise.withResolvers<void>();
  #isClosed = false;

  constructor(store: JobStore, events: JobEvents, clock: Clock, onError: (what: string, error: unknown) => void) {
    this.#store = store;
    this.#events = events;
    this.#clock = clock;
    this.#onError = onError;
  }

  /** Stores a new job. */
  async insert(job: Job): Promise<void> {
    await this.#store.insert(job);
    this.#events.publish(job);
  }

  /** Moves a job to its next status. It can be read at once; resolves when it is durable. */
  async move(job: Job, status: JobStatus, options: ReplaceOptions = {}): Promise<Job> {
    const next = transition(job, status);
    const stored = this.#store.replace(next, options);
    // A write that is durable a moment later is told at once: whoever learns of it too early loses nothing.
    if (options.deferrable) this.#events.publish(next);
    await stored;
    if (!options.deferrable) this.#events.publish(next);
    return next;
  }

  /** Stores several changes that hold together or not at all. */
  async writeAll(changes: Parameters<JobStore["write"]>[0]): Promise<void> {
    await this.#store.write(changes);
    for (const change of changes) this.#events.publish("insert" in change ? change.insert : change.replace);
  }

  /**
   * Stores what has happened and can't be taken back: a full or failing disk is tried again until it takes it, and a change
   * that came between is taken into account. @param next made from the job as it is stored; undefined: nothing to do any more
   * @returns what was stored; undefined if there was nothing to do, or `close` came first
   */
  async settle(id: string, next: (job: Job) => Job | undefined): Promise<Job | undefined> {
    for (let told = false;;) {
      const job = this.#store.get(id);
      const wanted = job && next(job);
      if (!wanted) return undefined;
      try {
        await this.#store.replace(wanted);
        this.#events.publish(wanted);
        return wanted;
      } catch (error) {
        if (!(error instanceof EngineError) || (error.kind !== "exhausted" && error.kind !== "conflict")) throw error;
        if (error.kind === "conflict") continue;
        if (!told) this.#onError(`store the end of job ${id}; it is tried again until it succeeds`, error);
        told = true;
        if (this.#isClosed) return undefined;
        await this.pause();
      }
    }
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** A short while, or until `close`. */
  async pause(): Promise<void> {
    const timer = Promise.withResolvers<void>();
    using _timer = this.#clock.after(RETRY_MS, timer.resolve);
    await Promise.race([timer.promise, this.#closed.promise]);
  }

  /** Ends what `settle` waits for; the next server finds it out again. */
  close(): void {
    this.#isClosed = true;
    this.#closed.resolve();
  }
}
