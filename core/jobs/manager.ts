import { EngineError } from "../errors.ts";
import { wholeDiskOf } from "../cgroup/io_device.ts";
import { requireControllers } from "../cgroup/limits.ts";
import type { LogBatch, LogQuery } from "../logs/log.ts";
import { deleteJournal, journalPath } from "../logs/journal_file.ts";
import { streamJournal, type WriterEnd } from "../logs/follow.ts";
import { isJobId, isJobIdPrefix, newJobId } from "../values/job_id.ts";
import { adoptJobs } from "./adopt.ts";
import type { Engine, JobPage, JobQuery, PlanLine } from "./engine.ts";
import { isTerminal, type Job } from "./job.ts";
import { changeJob, LiveJob } from "./live_job.ts";
import type { EngineParts } from "./parts.ts";
import { describePlan } from "./plan_lines.ts";
import type { JobSpecInput, Limits, StopOptions } from "./spec.ts";
import { startJob } from "./start.ts";
import { parseSpec } from "./validate.ts";
import { watchJob } from "./watch.ts";

const PREFIX_MATCHES = 2;

/** Refuses limits that this host can't enforce, before anything is stored. @throws {EngineError} kind "precondition" */
function requireLimits(parts: EngineParts, limits: Limits): void {
  requireControllers(limits, parts.tree.controllers);
  if (limits.ioBytesPerSecond !== undefined) wholeDiskOf(parts.config.home.root);
}

export class JobManager implements Engine {
  readonly #parts: EngineParts;
  readonly #release: () => Promise<void>;
  readonly #live: Map<string, LiveJob>;
  /** Starts under way, so that a stop can wait for them. */
  readonly #starting = new Map<string, Promise<Job>>();
  #closing = false;

  private constructor(parts: EngineParts, live: Map<string, LiveJob>, release: () => Promise<void>) {
    this.#parts = parts;
    this.#release = release;
    this.#live = live;
    for (const [id, job] of live) this.#forgetWhenEnded(id, job);
  }

  /** Takes over what an earlier server left and is ready. @param release frees the parts after `close` */
  static async open(parts: EngineParts, release: () => Promise<void>): Promise<JobManager> {
    return new JobManager(parts, await adoptJobs(parts), release);
  }

  async run(input: JobSpecInput, owner: string): Promise<Job> {
    if (this.#closing) throw new EngineError("unavailable", "Cannot start a job: the server is shutting down");
    const spec = parseSpec(input, this.#parts.config);
    requireLimits(this.#parts, spec.limits);
    const job: Job = {
      id: newJobId(),
      owner,
      spec,
      status: { state: "initializing" },
      createdAt: new Date(),
      version: 1,
    };
    const started = this.#start(job);
    this.#starting.set(job.id, started);
    try {
      return await started;
    } finally {
      this.#starting.delete(job.id);
    }
  }

  async #start(job: Job): Promise<Job> {
    // Durable before anything runs: a server that ends from here on leaves a job that the next one knows.
    await this.#parts.store.insert(job);
    this.#parts.events.publish(job);
    const result = await startJob(this.#parts, job);
    if ("failure" in result) {
      const { failure } = result;
      return await changeJob(this.#parts, job, {
        state: "failed",
        reason: "start_failed",
        failure,
        endedAt: new Date(),
      });
    }
    // Not waited for: a server that ends before this is durable finds the job in its cgroup or its journal.
    const note = changeJob(this.#parts, job, { state: "running", startedAt: new Date() }, { deferrable: true });
    note.catch((error: unknown) => this.#parts.onError(`store the start of job ${job.id}`, error));
    const running = this.get(job.id);
    const live = new LiveJob(this.#parts, job.id, result.running);
    this.#live.set(job.id, live);
    this.#forgetWhenEnded(job.id, live);
    return running;
  }

  #forgetWhenEnded(id: string, live: LiveJob): void {
    live.ended.catch((error: unknown) => this.#parts.onError(`store the end of job ${id}`, error)).finally(() => {
      this.#live.delete(id);
    });
  }

  plan(input: JobSpecInput): readonly PlanLine[] {
    const spec = parseSpec(input, this.#parts.config);
    requireLimits(this.#parts, spec.limits);
    return describePlan(this.#parts, spec, newJobId());
  }

  get(ref: string): Job {
    const { store } = this.#parts;
    const exact = isJobId(ref) ? store.get(ref) : undefined;
    if (exact) return exact;
    if (!isJobIdPrefix(ref)) {
      throw new EngineError(
        "invalid",
        `Cannot use job id ${JSON.stringify(ref.slice(0, 40))}: it is no UUID or start of one`,
      );
    }
    const matches = store.findByPrefix(ref, PREFIX_MATCHES);
    if (matches.length > 1) {
      throw new EngineError("invalid", `Cannot tell which job '${ref}' is: it fits several; give more of the id`);
    }
    if (!matches[0]) throw new EngineError("not_found", `Cannot find job '${ref}'`);
    return matches[0];
  }

  list(query: JobQuery = {}): JobPage {
    return this.#parts.store.list(query);
  }

  watch(ref: string, signal: AbortSignal): AsyncGenerator<Job> {
    const { id } = this.get(ref);
    return watchJob(id, () => this.get(id), this.#parts.events, signal);
  }

  async *logs(ref: string, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogBatch> {
    const { id } = this.get(ref);
    const path = journalPath(this.#parts.config.home, id);
    const { offset = 0, follow = false, streams = [] } = query;
    const isEnded = () => isTerminal(this.get(id).status.state);
    const ended: WriterEnd = {
      get value() {
        return isEnded();
      },
      onEnd: (listener) =>
        this.#parts.events.subscribe(id, (job) => {
          if (isTerminal(job.status.state)) listener();
        }),
    };
    const batches = streamJournal({ path, offset, follow, streams, signal, watcher: this.#parts.files, ended });
    for await (const { pieces, nextOffset, end } of batches) {
      if (!end) yield { pieces, nextOffset };
      else yield { pieces, nextOffset, endedJob: await this.#whenStored(id) };
    }
  }

  /** The journal ends a moment before the job's end is stored. */
  async #whenStored(id: string): Promise<Job> {
    return await (this.#live.get(id)?.ended ?? this.#starting.get(id)) ?? this.get(id);
  }

  async stop(ref: string, options: StopOptions = {}): Promise<Job> {
    const { id } = this.get(ref);
    await this.#starting.get(id);
    const job = this.get(id);
    const live = this.#live.get(id);
    if (isTerminal(job.status.state)) return job;
    if (!live) throw new EngineError("unavailable", `Cannot stop job '${id}': its end is being stored`);
    const { signal = "SIGTERM", graceMs = this.#parts.config.stopGraceMs } = options;
    if (job.status.state === "running") {
      const { startedAt } = job.status;
      // Stored before the signal goes out, so that whoever reads the end knows that a stop was asked for.
      await changeJob(this.#parts, job, { state: "stopping", startedAt, requestedAt: new Date() });
    }
    live.stop(signal, graceMs);
    return await live.ended;
  }

  async delete(ref: string): Promise<void> {
    const job = this.get(ref);
    if (!isTerminal(job.status.state)) {
      throw new EngineError("precondition", `Cannot delete job '${job.id}': it is ${job.status.state}; stop it first`);
    }
    await this.#parts.store.delete(job.id);
    await deleteJournal(journalPath(this.#parts.config.home, job.id));
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    await Promise.allSettled(this.#starting.values());
    await Promise.allSettled([...this.#live.values()].map((live) => live.release()));
    await this.#release();
  }
}
