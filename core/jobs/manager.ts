import { EngineError } from "../errors.ts";
import type { LogBatch, LogQuery } from "../logs/log.ts";
import type { LogStore } from "../logs/log_store.ts";
import type { Clock } from "../schedule/clock.ts";
import type { JobStore } from "../state/store.ts";
import { JobChanges } from "./changes.ts";
import { Dispatcher } from "./dispatcher.ts";
import { DueJobs } from "./due_jobs.ts";
import { Ending } from "./ending.ts";
import type { DeleteQuery, DeleteResult, Engine, JobPage, JobQuery, PlanLine, RunOptions } from "./engine.ts";
import { findJob } from "./find_job.ts";
import { isTerminal, type Job } from "./job.ts";
import { JobEvents } from "./job_events.ts";
import { readJobLog } from "./job_log.ts";
import type { LimitPolicies } from "./limit_policy.ts";
import { AdmissionQueue, type QueueLimits } from "./queue.ts";
import { recoverJobs } from "./recover.ts";
import { deleteJob, deleteJobs } from "./removal.ts";
import { removeOrphans, Retention, type RetentionLimits } from "./retention.ts";
import type { Runner } from "./runner.ts";
import { ScheduledJobs } from "./scheduled_jobs.ts";
import { Sealer } from "./sealer.ts";
import type { SecretBox } from "./secrets.ts";
import type { JobSpecInput, StopOptions } from "./spec.ts";
import { Submission } from "./submission.ts";
import { Supervisor } from "./supervisor.ts";
import { watchJob } from "./watch.ts";

export interface ManagerConfig {
  readonly limits: LimitPolicies;
  readonly queue: QueueLimits;
  readonly retention: RetentionLimits;
  /** Time from a stop's first signal to the kill, where the caller gave none. */
  readonly stopGraceMs: number;
}

export interface ManagerParts {
  readonly config: ManagerConfig;
  readonly store: JobStore;
  readonly logs: LogStore;
  readonly runner: Runner;
  readonly clock: Clock;
  readonly secrets: SecretBox;
  readonly bootId: string;
  /** Refuses new jobs where the disk is nearly full. @throws {EngineError} kind "exhausted" */
  readonly checkSpace: () => void;
  /** Failures in the background that no caller can be told of. */
  readonly onError: (what: string, error: unknown) => void;
}

export class JobManager implements Engine {
  readonly #parts: ManagerParts;
  readonly #release: () => Promise<void>;
  readonly #events = new JobEvents();
  readonly #changes: JobChanges;
  readonly #queue: AdmissionQueue;
  readonly #supervisor: Supervisor;
  readonly #dispatcher: Dispatcher;
  readonly #scheduled: ScheduledJobs;
  readonly #retention: Retention;
  readonly #sealer: Sealer;
  readonly #submission: Submission;
  readonly #ending: Ending;
  #draining = false;
  readonly #closing = new AbortController();
  /** The removal of output that belongs to no job, under way since the start. */
  #orphans: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(parts: ManagerParts, release: () => Promise<void>) {
    this.#parts = parts;
    this.#release = release;
    const { store, runner, clock, onError } = parts;
    const changes = new JobChanges(store, this.#events, clock, onError);
    const queue = new AdmissionQueue(parts.config.queue, (owner) => this.#scheduled.countOf(owner));
    const supervisor = new Supervisor({ store, changes, clock, onError, onConcluded: (job) => this.#onConcluded(job) });
    this.#changes = changes;
    this.#queue = queue;
    this.#supervisor = supervisor;
    this.#dispatcher = new Dispatcher({ store, changes, queue, runner, supervisor, clock, onError });
    const due = new DueJobs({
      store,
      changes,
      queue,
      clock,
      onError,
      enqueue: (job) => this.#dispatcher.enqueue(job),
      schedule: (job, at) => this.#scheduled.set(job, at),
      stop: (id) => this.stop(id),
    });
    this.#scheduled = new ScheduledJobs(clock, (id) => {
      due.onDue(id).catch((error: unknown) => onError(`start the scheduled job ${id}`, error));
    });
    const [dispatcher, scheduled] = [this.#dispatcher, this.#scheduled];
    const { limits, stopGraceMs, queue: { maxWaiting: maxScheduled } } = parts.config;
    const life = { store, changes, queue, dispatcher, scheduled, clock };
    this.#submission = new Submission({
      ...life,
      runner,
      limits,
      maxScheduled,
      secrets: parts.secrets,
      checkSpace: parts.checkSpace,
    });
    this.#ending = new Ending({
      ...life,
      supervisor,
      stopGraceMs,
      get: (id) => this.get(id),
      onCanceled: () => this.#retention.onEnded(),
    });
    this.#sealer = new Sealer({ store, logs: parts.logs, onError });
    this.#retention = new Retention({
      store,
      logs: parts.logs,
      runner: parts.runner,
      clock,
      limits: parts.config.retention,
      onError,
    });
  }

  /** Takes over what an earlier server left and is ready. @param release frees the parts after `close` */
  static async open(parts: ManagerParts, release: () => Promise<void>): Promise<JobManager> {
    const manager = new JobManager(parts, release);
    await manager.#recover();
    return manager;
  }

  async #recover(): Promise<void> {
    const { store, clock, runner, bootId, onError } = this.#parts;
    const changes = this.#changes;
    const [queue, supervisor] = [this.#queue, this.#supervisor];
    for (const job of await recoverJobs({ store, changes, clock, queue, runner, supervisor, bootId, onError })) {
      this.#wait(job);
    }
    this.#retention.look();
    this.#orphans = removeOrphans(this.#parts, this.#closing.signal);
  }

  /** Gives a waiting job its alarm or its place in the line. */
  #wait(job: Job): void {
    if (job.status.state === "scheduled") this.#scheduled.set(job, job.status.at);
    if (job.status.state === "pending") this.#dispatcher.enqueue(job);
  }

  #onConcluded(job: Job): void {
    this.#queue.release(job.id);
    this.#seal(job);
    if (isTerminal(job.status.state)) this.#retention.onEnded();
    else this.#wait(job);
    this.#dispatcher.pump();
  }

  /** Has the output of the attempt that has just ended made durable. */
  #seal(job: Job): void {
    const ended = isTerminal(job.status.state);
    const last = ended && "usage" in job.status ? job.status.usage : job.earlier.at(-1)?.usage;
    const attempt = ended ? job.attempt : job.attempt - 1;
    const earlier = job.earlier.reduce((sum, { usage }) => sum + (usage?.logBytes ?? 0), 0);
    const ownBytes = last?.logBytes ?? 0;
    this.#sealer.add({ id: job.id, attempt, ownBytes, allBytes: ended ? earlier + ownBytes : earlier });
  }

  async run(input: JobSpecInput, owner: string, options: RunOptions = {}): Promise<Job> {
    if (this.#closed) throw new EngineError("unavailable", "Cannot start a job: the server is shutting down");
    if (this.#draining) {
      const reason = "the server waits for its jobs to end and takes no new ones; try again when it was restarted";
      throw new EngineError("precondition", `Cannot start a job: ${reason}`);
    }
    return this.#withReason(await this.#submission.submit(input, owner, options));
  }

  plan(input: JobSpecInput, owner: string): readonly PlanLine[] {
    const { spec, secrets } = this.#submission.check(input, owner);
    return this.#parts.runner.plan(spec, owner, secrets);
  }

  get(ref: string): Job {
    return this.#withReason(findJob(this.#parts.store, ref));
  }

  withUsage(job: Job): Job {
    const { status } = job;
    if (status.state !== "running" && status.state !== "stopping") return job;
    const usage = this.#supervisor.usage(job.id);
    return usage ? { ...job, status: { ...status, usage } } : job;
  }

  #withReason(job: Job): Job {
    if (job.status.state !== "pending") return job;
    const waitingFor = this.#dispatcher.reason(job.id) ?? "its turn";
    return { ...job, status: { state: "pending", waitingFor } };
  }

  list(query: JobQuery = {}): JobPage {
    const page = this.#parts.store.list(query);
    return { ...page, jobs: page.jobs.map((job) => this.#withReason(job)) };
  }

  async *watch(ref: string, signal: AbortSignal): AsyncGenerator<Job> {
    const { id } = this.get(ref);
    const jobs = watchJob(id, () => this.get(id), this.#events, signal);
    for await (const job of jobs) yield this.#withReason(job);
  }

  logs(ref: string, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogBatch> {
    const { id } = this.get(ref);
    const settled = async () => {
      await this.#dispatcher.started(id);
      await this.#supervisor.ended(id);
    };
    const { logs } = this.#parts;
    return readJobLog({ id, logs, events: this.#events, read: () => this.get(id), settled }, query, signal);
  }

  async stop(ref: string, options: StopOptions = {}): Promise<Job> {
    return await this.#ending.stop(this.get(ref).id, options);
  }

  async cancel(ref: string): Promise<Job> {
    return await this.#ending.cancel(this.get(ref).id);
  }

  async delete(ref: string): Promise<void> {
    await deleteJob(this.#parts, this.get(ref));
  }

  async deleteAll(query: DeleteQuery): Promise<DeleteResult> {
    return await deleteJobs(this.#parts, query);
  }

  async drain(signal: AbortSignal): Promise<void> {
    this.#draining = true;
    await this.#dispatcher.stop();
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => aborted.resolve(), { once: true });
    if (signal.aborted) return;
    await Promise.race([this.#supervisor.whenIdle(), aborted.promise]);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#closing.abort();
    this.#scheduled.close();
    this.#changes.close();
    await this.#dispatcher.stop();
    await this.#supervisor.close();
    await this.#parts.logs.close();
    await Promise.all([this.#retention.close(), this.#sealer.close(), this.#orphans]);
    await this.#release();
  }
}
