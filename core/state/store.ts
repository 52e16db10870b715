import type { JobPage, JobQuery } from "../jobs/engine.ts";
import type { Job } from "../jobs/job.ts";

export interface ReplaceOptions {
  /**
   * May become durable a few milliseconds later, together with another write: for changes that the next server can find
   * out again, such as that a program was started. @default {false}
   */
  readonly deferrable?: boolean;
}

/**
 * Where jobs are kept. Writes resolve when they are durable; reads are synchronous and see every write that was begun.
 * Every implementation passes `storeContract` (store_contract.ts).
 */
export interface JobStore {
  /** @throws {EngineError} kind "conflict" if the id exists, "exhausted" if the disk is full */
  insert(job: Job): Promise<void>;
  /** Replaces the version before this one. @throws {EngineError} kind "conflict" if another one is stored */
  replace(job: Job, options?: ReplaceOptions): Promise<void>;
  get(id: string): Job | undefined;
  /** At most `limit` jobs whose ids begin with the prefix. */
  findByPrefix(prefix: string, limit: number): Job[];
  /** Newest first. @throws {EngineError} kind "invalid" for a page token or size that is none */
  list(query: JobQuery): JobPage;
  /** Jobs in a state that is not terminal. */
  live(): Job[];
  /** Deleting what is not there is no error. */
  delete(id: string): Promise<void>;
  /** Waits for the writes under way. */
  close(): Promise<void>;
}
