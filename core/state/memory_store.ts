import { EngineError } from "../errors.ts";
import type { JobPage, JobQuery } from "../jobs/engine.ts";
import { isTerminal, type Job } from "../jobs/job.ts";
import { jobFromJson, jobToJson } from "./job_json.ts";
import { pageRequest, pageToken } from "./page.ts";
import type { JobStore } from "./store.ts";

/** A store that ends with the process: for tests, and for embedding the engine where no job has to outlive it. */
export class MemoryStore implements JobStore {
  /** JSON, so that nobody shares an object with the store. */
  readonly #jobs = new Map<string, string>();
  #closed = false;

  // deno-lint-ignore require-await -- errors reject, as in every store
  async insert(job: Job): Promise<void> {
    this.#checkOpen();
    if (this.#jobs.has(job.id)) {
      throw new EngineError("conflict", `Cannot add job ${job.id}: there is one with this id`);
    }
    this.#jobs.set(job.id, jobToJson(job));
  }

  // deno-lint-ignore require-await -- errors reject, as in every store
  async replace(job: Job): Promise<void> {
    this.#checkOpen();
    const stored = this.get(job.id);
    if (stored?.version !== job.version - 1) throw replaceConflict(job, stored?.version);
    this.#jobs.set(job.id, jobToJson(job));
  }

  get(id: string): Job | undefined {
    this.#checkOpen();
    const text = this.#jobs.get(id);
    return text === undefined ? undefined : jobFromJson(text);
  }

  findByPrefix(prefix: string, limit: number): Job[] {
    return this.#all().filter((job) => job.id.startsWith(prefix)).sort((a, b) => compare(a.id, b.id)).slice(0, limit);
  }

  list(query: JobQuery): JobPage {
    const { size, after } = pageRequest(query);
    const { states = [], owner, name } = query;
    const jobs = this.#all().filter((job) =>
      (states.length === 0 || states.includes(job.status.state)) &&
      (owner === undefined || job.owner === owner) &&
      (name === undefined || job.spec.name === name)
    ).sort((a, b) => newestFirst(position(a), position(b)));
    const rest = after ? jobs.filter((job) => newestFirst(position(job), after) > 0) : jobs;
    const page = rest.slice(0, size);
    return rest.length > size ? { jobs: page, nextPageToken: pageToken(position(page.at(-1)!)) } : { jobs: page };
  }

  live(): Job[] {
    return this.#all().filter((job) => !isTerminal(job.status.state));
  }

  // deno-lint-ignore require-await -- errors reject, as in every store
  async delete(id: string): Promise<void> {
    this.#checkOpen();
    this.#jobs.delete(id);
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  #all(): Job[] {
    this.#checkOpen();
    return [...this.#jobs.values()].map(jobFromJson);
  }

  #checkOpen(): void {
    if (this.#closed) throw storeClosed();
  }
}

/** What a compare-and-set that failed throws. @param stored version in the store, undefined if the job is not there */
export function replaceConflict(job: Job, stored: number | undefined): EngineError {
  const found = stored === undefined ? "it is not stored" : `version ${stored} is stored`;
  return new EngineError("conflict", `Cannot store version ${job.version} of job ${job.id}: ${found}`);
}

/** What every method of a closed store throws. */
export function storeClosed(): EngineError {
  return new EngineError("unavailable", "Cannot use the job store: it is closed");
}

function position(job: Job): { createdAtMs: number; id: string } {
  return { createdAtMs: job.createdAt.getTime(), id: job.id };
}

function newestFirst(a: { createdAtMs: number; id: string }, b: { createdAtMs: number; id: string }): number {
  return b.createdAtMs - a.createdAtMs || compare(a.id, b.id);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
