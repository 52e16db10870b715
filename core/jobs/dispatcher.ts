/**
 * Starts jobs: at once if there is room, else when their turn comes.
 *
 *   submit ──► admitted ──────────────► initializing (durable) ──► runner.start ──► running ──► supervisor
 *          └─► pending (durable) ─ turn ──────┘                        └─► failed | pending, if the disk is full
 */
import { EngineError } from "../errors.ts";
import type { JobStore } from "../state/store.ts";
import type { JobChanges } from "./changes.ts";
import type { Clock } from "../schedule/clock.ts";
import { type Job, type JobStatus, transition } from "./job.ts";
import type { AdmissionQueue } from "./queue.ts";
import type { Runner } from "./runner.ts";
import type { Supervisor } from "./supervisor.ts";

/** Starts from the queue that are under way at once: each takes the main thread for a moment, which calls want too. */
const MAX_STARTING = 16;

export interface DispatcherParts {
  readonly store: JobStore;
  readonly changes: JobChanges;
  readonly queue: AdmissionQueue;
  readonly runner: Runner;
  readonly supervisor: Supervisor;
  readonly clock: Clock;
  readonly onError: (what: string, error: unknown) => void;
}

export class Dispatcher {
  readonly #parts: DispatcherParts;
  /** Starts under way, so that a stop can wait for them. */
  readonly #starting = new Map<string, Promise<Job>>();
  #fromQueue = 0;
  #paused: string | undefined;
  #stopped = false;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  /** Stores a new job and starts it, or lets it wait. @param job pending @returns it, started or waiting */
  async submit(job: Job): Promise<Job> {
    const { queue, changes } = this.#parts;
    const admitted = this.#paused === undefined && queue.tryAdmit(job);
    if (!admitted) {
      using _place = queue.reserve(job.owner, "turn");
      await changes.insert(job);
      this.enqueue(job);
      return job;
    }
    return await this.#track(job.id, this.#insertAndStart({ ...job, status: { state: "initializing" } }));
  }

  async #insertAndStart(job: Job): Promise<Job> {
    try {
      // Durable before anything runs: a server that ends from here on leaves a job that the next one knows.
      await this.#parts.changes.insert(job);
    } catch (error) {
      this.#parts.queue.release(job.id);
      this.pump();
      throw error;
    }
    return await this.#start(job);
  }

  /** Lets a stored, pending job wait for its turn. */
  enqueue(job: Job): void {
    this.#parts.queue.add(job);
    this.pump();
  }

  /** Resolves when the start of this job, if one is under way, has come to an end. */
  async started(id: string): Promise<void> {
    await this.#starting.get(id);
  }

  /** Why a pending job waits. */
  reason(id: string): string | undefined {
    const reason = this.#parts.queue.reason(id);
    return reason && (this.#paused ?? reason);
  }

  /** Starts what fits. */
  pump(): void {
    while (!this.#stopped && this.#paused === undefined && this.#fromQueue < MAX_STARTING) {
      const id = this.#parts.queue.next();
      if (id === undefined) return;
      const job = this.#parts.store.get(id);
      if (job?.status.state !== "pending") continue;
      this.#parts.queue.occupy(job);
      this.#fromQueue++;
      this.#track(id, this.#startPending(job)).catch((error: unknown) => {
        this.#parts.onError(`start job ${id}`, error);
      }).finally(() => {
        this.#fromQueue--;
        this.pump();
      });
    }
  }

  async #startPending(job: Job): Promise<Job> {
    let initializing: Job;
    try {
      // Durable first, or a program that had run before a power cut would run again.
      initializing = await this.#parts.changes.move(job, { state: "initializing" });
    } catch (error) {
      this.#parts.queue.release(job.id);
      if (!(error instanceof EngineError)) throw error;
      if (error.kind === "exhausted") this.#waitForDisk(job.id);
      return job;
    }
    return await this.#start(initializing);
  }

  async #start(job: Job): Promise<Job> {
    const { runner, changes, supervisor, store } = this.#parts;
    const result = await runner.start(job);
    if ("run" in result) {
      this.#noteStart(job);
      supervisor.follow(job.id, result.run);
      return store.get(job.id) ?? job;
    }
    this.#parts.queue.release(job.id);
    if ("later" in result) {
      const back = await changes.settle(job.id, (now) => transition(now, { state: "pending" }));
      this.#waitForDisk(job.id);
      return back ?? job;
    }
    const { failure } = result;
    const endedAt = new Date(this.#parts.clock.now());
    const ended = await changes.settle(
      job.id,
      (now) => transition(now, { state: "failed", reason: "start_failed", failure, endedAt }),
    );
    this.pump();
    return ended ?? job;
  }

  /** Not waited for: a server that ends before this is durable finds the job in its cgroup or its journal. */
  #noteStart(job: Job): void {
    const { changes, clock, onError } = this.#parts;
    const running: JobStatus = { state: "running", startedAt: new Date(clock.now()) };
    const noted = changes.move(job, running, { deferrable: true });
    noted.catch(async (error: unknown) => {
      if (!(error instanceof EngineError)) throw error;
      // The disk was full: until it has room, the job is shown as it was before.
      await changes.settle(job.id, (now) => now.status.state === "initializing" ? transition(now, running) : undefined);
    }).catch((error: unknown) => onError(`store the start of job ${job.id}`, error));
  }

  /** Nothing is started until a moment later: no event tells that a disk has room again. */
  #waitForDisk(id: string): void {
    const job = this.#parts.store.get(id);
    if (job?.status.state === "pending") this.#parts.queue.add(job);
    if (this.#paused !== undefined) return;
    this.#paused = "room on the disk of JOBLET_HOME";
    this.#parts.changes.pause().then(() => {
      this.#paused = undefined;
      this.pump();
    });
  }

  async #track(id: string, start: Promise<Job>): Promise<Job> {
    this.#starting.set(id, start);
    try {
      return await start;
    } finally {
      this.#starting.delete(id);
    }
  }

  /** Starts nothing more; resolves when the starts under way are through. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.allSettled(this.#starting.values());
  }
}
