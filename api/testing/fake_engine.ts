/** An engine that runs nothing: for tests of what stands on an engine. */
import { EngineError } from "../../core/errors.ts";
import type {
  DeleteQuery,
  DeleteResult,
  Engine,
  JobPage,
  JobQuery,
  PlanLine,
  RunOptions,
} from "../../core/jobs/engine.ts";
import { isTerminal, type Job, type JobStatus, transition } from "../../core/jobs/job.ts";
import { mapValues } from "../../core/jobs/secrets.ts";
import type { JobSpecInput, StopOptions } from "../../core/jobs/spec.ts";
import type { LogBatch, LogPiece, LogQuery } from "../../core/logs/log.ts";
import { newJobId } from "../../core/values/job_id.ts";

export class FakeEngine implements Engine {
  readonly jobs = new Map<string, Job>();
  readonly inputs: JobSpecInput[] = [];
  readonly queries: JobQuery[] = [];
  readonly logQueries: LogQuery[] = [];
  readonly stops: (StopOptions | undefined)[] = [];
  readonly keys: (string | undefined)[] = [];
  readonly deletions: DeleteQuery[] = [];
  /** Handed out by `logs` before it waits or ends. */
  pieces: LogPiece[] = [];
  /** Thrown by the next `run`. */
  nextError: Error | undefined;
  /** Thrown by `logs` after the pieces. */
  logError: Error | undefined;
  openStreams = 0;
  closed = false;
  drained = false;
  readonly #changes = new EventTarget();

  run(input: JobSpecInput, owner: string, options: RunOptions = {}): Promise<Job> {
    this.inputs.push(input);
    this.keys.push(options.idempotencyKey);
    const error = this.nextError;
    this.nextError = undefined;
    if (error) return Promise.reject(error);
    return Promise.resolve(this.add(owner, { state: "running", startedAt: new Date() }, input));
  }

  add(owner: string, status: JobStatus, input: JobSpecInput = {}): Job {
    const { command = "true", args = [], name = "", env = {} } = input;
    const { labels = {}, priority = 0 } = input;
    const secrets = {
      ...(input.secretEnv && { secretEnv: mapValues(input.secretEnv, () => "sealed") }),
      ...(input.secretFiles && { secretFiles: mapValues(input.secretFiles, () => "sealed") }),
    };
    const open = { command, args, name, env, workdir: "/work", network: "none" as const, limits: {}, labels, priority };
    const spec = { ...open, ...secrets };
    const job: Job = {
      id: newJobId(),
      owner,
      spec,
      status,
      createdAt: new Date(),
      version: 1,
      attempt: 1,
      earlier: [],
    };
    this.jobs.set(job.id, job);
    return job;
  }

  change(id: string, status: JobStatus): Job {
    const job = transition(this.get(id), status);
    this.jobs.set(id, job);
    this.#notify();
    return job;
  }

  plan(input: JobSpecInput): readonly PlanLine[] {
    this.inputs.push(input);
    return [{ actor: "program", name: "exec", detail: input.command ?? "" }];
  }

  get(ref: string): Job {
    const found = [...this.jobs.values()].filter((job) => job.id.startsWith(ref));
    if (found.length === 0) throw new EngineError("not_found", `Cannot find job '${ref}'`);
    if (found.length > 1) throw new EngineError("invalid", `Cannot tell which job '${ref}' means`);
    return found[0]!;
  }

  withUsage(job: Job): Job {
    return job;
  }

  list(query: JobQuery = {}): JobPage {
    this.queries.push(query);
    const jobs = [...this.jobs.values()].filter((job) => query.owner === undefined || job.owner === query.owner);
    // There is always a second page, an empty one.
    return query.pageToken === "next" ? { jobs: [] } : { jobs, nextPageToken: "next" };
  }

  async *watch(ref: string, signal: AbortSignal): AsyncGenerator<Job> {
    const { id } = this.get(ref);
    this.#opened(1);
    try {
      while (!signal.aborted) {
        const job = this.get(id);
        const changed = this.#changed(signal);
        yield job;
        if (isTerminal(job.status.state)) return;
        await changed;
      }
    } finally {
      this.#opened(-1);
    }
  }

  async *logs(ref: string, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogBatch> {
    const { id } = this.get(ref);
    this.logQueries.push(query);
    this.#opened(1);
    try {
      yield { pieces: this.pieces, attempt: 1, nextOffset: this.pieces.length };
      if (this.logError) throw this.logError;
      while (query.follow && !signal.aborted && !isTerminal(this.get(id).status.state)) await this.#changed(signal);
      if (!signal.aborted) {
        yield { pieces: [], attempt: 1, nextOffset: this.pieces.length, endedJob: this.get(id) };
      }
    } finally {
      this.#opened(-1);
    }
  }

  stop(ref: string, options?: StopOptions): Promise<Job> {
    this.stops.push(options);
    const job = this.get(ref);
    if (job.status.state !== "running") return Promise.resolve(job);
    const { startedAt } = job.status;
    const now = new Date();
    this.change(job.id, { state: "stopping", startedAt, requestedAt: now, signal: "SIGTERM", killAt: now });
    const exit = { kind: "signaled", signal: 15 } as const;
    return Promise.resolve(
      this.change(job.id, { state: "stopped", startedAt, endedAt: new Date(), reason: "stopped", exit }),
    );
  }

  delete(ref: string): Promise<void> {
    const job = this.get(ref);
    if (!isTerminal(job.status.state)) {
      return Promise.reject(new EngineError("precondition", `Cannot delete job ${job.id}: it has not ended`));
    }
    this.jobs.delete(job.id);
    return Promise.resolve();
  }

  cancel(ref: string): Promise<Job> {
    const job = this.get(ref);
    if (job.status.state !== "scheduled" && job.status.state !== "pending") {
      return Promise.reject(new EngineError("precondition", `Cannot cancel job ${job.id}: it does not wait`));
    }
    return Promise.resolve(this.change(job.id, { state: "canceled", reason: "canceled", endedAt: new Date() }));
  }

  deleteAll(query: DeleteQuery): Promise<DeleteResult> {
    this.deletions.push(query);
    return Promise.resolve({ deleted: 3, skipped: 1 });
  }

  drain(_signal: AbortSignal): Promise<void> {
    this.drained = true;
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  /** Resolves when this many streams are open. */
  async streamsAre(count: number): Promise<void> {
    while (this.openStreams !== count) {
      await new Promise((resolve) => this.#changes.addEventListener("streams", resolve, { once: true }));
    }
  }

  #opened(by: number): void {
    this.openStreams += by;
    this.#changes.dispatchEvent(new Event("streams"));
  }

  #notify(): void {
    this.#changes.dispatchEvent(new Event("job"));
  }

  #changed(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener("abort", done);
        this.#changes.removeEventListener("job", done);
        resolve();
      };
      signal.addEventListener("abort", done, { once: true });
      this.#changes.addEventListener("job", done, { once: true });
    });
  }
}

/** A piece of output. */
export function piece(offset: number, text: string, stream: LogPiece["stream"] = "stdout"): LogPiece {
  const data = new TextEncoder().encode(text);
  return { offset, stream, timeNs: 1_700_000_000_123_456_789n, data, missingBytes: 0 };
}
