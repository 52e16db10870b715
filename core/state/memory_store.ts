import { EngineError } from "../errors.ts";
import type { JobPage, JobQuery } from "../jobs/engine.ts";
import { isTerminal, type Job } from "../jobs/job.ts";
import { formatPageToken, pageSizeOf, parsePageToken } from "./page_token.ts";
import type { JobStore } from "./store.ts";

/** Keeps jobs in memory only: for tests and for engines that need not outlive their process. */
export class MemoryStore implements JobStore {
  readonly #jobs = new Map<string, Job>();

  insert(job: Job): Promise<void> {
    if (this.#jobs.has(job.id)) {
      return Promise.reject(new EngineError("conflict", `Cannot insert job '${job.id}': it exists`));
    }
    this.#jobs.set(job.id, job);
    return Promise.resolve();
  }

  replace(job: Job): Promise<void> {
    if (this.#jobs.get(job.id)?.version !== job.version - 1) {
      return Promise.reject(new EngineError("conflict", `Cannot change job '${job.id}': it has changed meanwhile`));
    }
    this.#jobs.set(job.id, job);
    return Promise.resolve();
  }

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  findByPrefix(prefix: string, limit: number): Job[] {
    return [...this.#jobs.values()].filter(({ id }) => id.startsWith(prefix)).slice(0, limit);
  }

  list(query: JobQuery): JobPage {
    const size = pageSizeOf(query.pageSize);
    const after = query.pageToken ? parsePageToken(query.pageToken) : undefined;
    const position = (job: Job) => ({ createdMs: job.createdAt.getTime(), id: job.id });
    const found = [...this.#jobs.values()]
      .filter((job) => !query.states?.length || query.states.includes(job.status.state))
      .filter((job) => query.owner === undefined || job.owner === query.owner)
      .filter((job) => query.name === undefined || job.spec.name === query.name)
      .filter((job) => after === undefined || isBehind(position(job), after))
      .sort((a, b) => isBehind(position(a), position(b)) ? 1 : -1);
    const jobs = found.slice(0, size);
    const last = jobs.at(-1);
    return found.length > size && last ? { jobs, nextPageToken: formatPageToken(position(last)) } : { jobs };
  }

  live(): Job[] {
    return [...this.#jobs.values()].filter((job) => !isTerminal(job.status.state));
  }

  delete(id: string): Promise<void> {
    this.#jobs.delete(id);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

interface Position {
  readonly createdMs: number;
  readonly id: string;
}

/** Whether a comes after b in a list that has the newest first. */
function isBehind(a: Position, b: Position): boolean {
  return a.createdMs < b.createdMs || (a.createdMs === b.createdMs && a.id < b.id);
}
