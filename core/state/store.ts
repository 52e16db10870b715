/**
 * Where jobs are kept. What stands above it (core/jobs) knows this interface alone, so the store could be a process of its own
 * or one shared by several hosts. Every implementation passes `storeContract` (store_contract.ts).
 */
import type { JobPage, JobQuery } from "../jobs/engine.ts";
import type { Job } from "../jobs/job.ts";

export interface ReplaceOptions {
  /**
   * May become durable a few milliseconds later, together with another write: for changes that the next server can find
   * out again, such as that a program was started. @default {false}
   */
  readonly deferrable?: boolean;
}

/** One of several writes that hold together. */
export type JobWrite = { readonly insert: Job } | { readonly replace: Job };

/** An ended job, as far as it matters for what is kept. */
export interface EndedJob {
  readonly id: string;
  readonly endedMs: number;
  /** Attempts that may have output. */
  readonly attempts: number;
  /** What its output takes on the disk; 0 once that is removed. */
  readonly logBytes: number;
}

export interface EndedTotals {
  readonly jobs: number;
  readonly logBytes: number;
}

/**
 * Writes resolve when they are durable; reads are synchronous and see every write that was begun. A write that fails is as if
 * it had never been made.
 */
export interface JobStore {
  /** @throws {EngineError} kind "conflict" if the id or the owner's idempotency key exists, "exhausted" if the disk is full */
  insert(job: Job): Promise<void>;
  /** Replaces the version before this one. @throws {EngineError} kind "conflict" if another one is stored */
  replace(job: Job, options?: ReplaceOptions): Promise<void>;
  /** All of these or none, with the errors of `insert` and `replace`. */
  write(changes: readonly JobWrite[]): Promise<void>;
  get(id: string): Job | undefined;
  findByKey(owner: string, idempotencyKey: string): Job | undefined;
  /** At most `limit` jobs whose ids begin with the prefix. */
  findByPrefix(prefix: string, limit: number): Job[];
  /** Newest first. @throws {EngineError} kind "invalid" for a page token or size that is none */
  list(query: JobQuery): JobPage;
  /** Jobs in a state that is not terminal, oldest first. */
  live(): Job[];
  endedTotals(): EndedTotals;
  /** At most `limit` ended jobs, those that ended first; with `withLogs` only those whose output is kept. */
  oldestEnded(limit: number, options?: { readonly withLogs?: boolean }): EndedJob[];
  /** Notes what an ended job's output takes now. An unknown job is no error. May become durable a moment later. */
  noteLogBytes(id: string, logBytes: number): Promise<void>;
  /** Deleting what is not there is no error. */
  delete(ids: readonly string[]): Promise<void>;
  /** A text kept beside the jobs. */
  getNote(key: string): string | undefined;
  setNote(key: string, text: string): Promise<void>;
  /** Waits for the writes under way. */
  close(): Promise<void>;
}
