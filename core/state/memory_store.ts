import { EngineError } from "../errors.ts";
import type { JobPage, JobQuery } from "../jobs/engine.ts";
import { isTerminal, type Job } from "../jobs/job.ts";
import { logBytesOf } from "./job_json.ts";
import { formatPageToken, pageSizeOf, parsePageToken } from "./page_token.ts";
import type { EndedJob, EndedTotals, JobStore, JobWrite } from "./store.ts";

/** Keeps jobs in memory only: for tests and for engines that need not outlive their process. */
export class MemoryStore implements JobStore {
  readonly #jobs = new Map<string, Job>();
  readonly #notes = new Map<string, string>();
  /** What ended jobs' output takes, where that was noted. */
  readonly #logBytes = new Map<string, number>();

  insert(job: Job): Promise<void> {
    return this.write([{ insert: job }]);
  }

  replace(job: Job): Promise<void> {
    return this.write([{ replace: job }]);
  }

  write(changes: readonly JobWrite[]): Promise<void> {
    for (const change of changes) {
      const problem = "insert" in change ? this.#insertProblem(change.insert) : this.#replaceProblem(change.replace);
      if (problem) return Promise.reject(new EngineError("conflict", problem));
    }
    for (const change of changes) {
      const job = "insert" in change ? change.insert : change.replace;
      this.#jobs.set(job.id, job);
    }
    return Promise.resolve();
  }

  #insertProblem(job: Job): string | undefined {
    if (this.#jobs.has(job.id)) return `Cannot insert job '${job.id}': it exists`;
    if (job.idempotencyKey !== undefined && this.findByKey(job.owner, job.idempotencyKey)) {
      return `Cannot insert job '${job.id}': its idempotency key was used before`;
    }
    return undefined;
  }

  #replaceProblem(job: Job): string | undefined {
    if (this.#jobs.get(job.id)?.version === job.version - 1) return undefined;
    return `Cannot change job '${job.id}': it has changed meanwhile`;
  }

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  findByKey(owner: string, idempotencyKey: string): Job | undefined {
    return [...this.#jobs.values()].find((job) => job.owner === owner && job.idempotencyKey === idempotencyKey);
  }

  findByPrefix(prefix: string, limit: number): Job[] {
    return [...this.#jobs.values()].filter(({ id }) => id.startsWith(prefix)).slice(0, limit);
  }

  list(query: JobQuery): JobPage {
    const size = pageSizeOf(query.pageSize);
    const after = query.pageToken ? parsePageToken(query.pageToken) : undefined;
    const labels = Object.entries(query.labels ?? {});
    const found = [...this.#jobs.values()]
      .filter((job) => !query.states?.length || query.states.includes(job.status.state))
      .filter((job) => query.owner === undefined || job.owner === query.owner)
      .filter((job) => query.name === undefined || job.spec.name === query.name)
      .filter((job) => query.scheduledBy === undefined || job.scheduledBy === query.scheduledBy)
      .filter((job) => labels.every(([key, value]) => job.spec.labels[key] === value))
      .filter((job) => after === undefined || isBehind(position(job), after))
      .sort((a, b) => isBehind(position(a), position(b)) ? 1 : -1);
    const jobs = found.slice(0, size);
    const last = jobs.at(-1);
    return found.length > size && last ? { jobs, nextPageToken: formatPageToken(position(last)) } : { jobs };
  }

  live(): Job[] {
    return [...this.#jobs.values()].filter((job) => !isTerminal(job.status.state))
      .sort((a, b) => isBehind(position(a), position(b)) ? -1 : 1);
  }

  endedTotals(): EndedTotals {
    const ended = this.#ended();
    return { jobs: ended.length, logBytes: ended.reduce((sum, { logBytes }) => sum + logBytes, 0) };
  }

  oldestEnded(limit: number, options: { readonly withLogs?: boolean } = {}): EndedJob[] {
    return this.#ended().filter(({ logBytes }) => !options.withLogs || logBytes > 0)
      .sort((a, b) => a.endedMs - b.endedMs || (a.id < b.id ? -1 : 1)).slice(0, limit);
  }

  #ended(): EndedJob[] {
    return [...this.#jobs.values()].flatMap((job) => {
      if (!("endedAt" in job.status)) return [];
      const logBytes = this.#logBytes.get(job.id) ?? logBytesOf(job);
      return [{ id: job.id, endedMs: job.status.endedAt.getTime(), attempts: job.attempt, logBytes }];
    });
  }

  noteLogBytes(id: string, logBytes: number): Promise<void> {
    if (this.#jobs.has(id)) this.#logBytes.set(id, logBytes);
    return Promise.resolve();
  }

  delete(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      this.#jobs.delete(id);
      this.#logBytes.delete(id);
    }
    return Promise.resolve();
  }

  getNote(key: string): string | undefined {
    return this.#notes.get(key);
  }

  setNote(key: string, text: string): Promise<void> {
    this.#notes.set(key, text);
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

function position(job: Job): Position {
  return { createdMs: job.createdAt.getTime(), id: job.id };
}

/** Whether a comes after b in a list that has the newest first. */
function isBehind(a: Position, b: Position): boolean {
  return a.createdMs < b.createdMs || (a.createdMs === b.createdMs && a.id < b.id);
}
