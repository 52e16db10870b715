import type { Job, JobStateName } from "./job.ts";
import type { JobSpecInput, StopOptions } from "./spec.ts";
import type { LogBatch, LogQuery } from "../logs/log.ts";

/** A page of jobs, newest first. */
export interface JobPage {
  readonly jobs: readonly Job[];
  /** Absent on the last page. */
  readonly nextPageToken?: string;
}

export interface JobQuery {
  /** 1 to 1000. @default {100} */
  readonly pageSize?: number;
  readonly pageToken?: string;
  /** Absent or empty: all. */
  readonly states?: readonly JobStateName[];
  readonly owner?: string;
  readonly name?: string;
  /** Jobs with all of these. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Runs of this recurring job. */
  readonly scheduledBy?: string;
}

/** Which jobs to delete; absent fields fit every job. */
export type DeleteQuery = Pick<JobQuery, "states" | "owner" | "labels">;

export interface DeleteResult {
  readonly deleted: number;
  /** Jobs that fit but have not ended. */
  readonly skipped: number;
}

export interface RunOptions {
  /** A request with a key that this owner has used before is answered with the job that the first one made. */
  readonly idempotencyKey?: string;
}

/** One step of a job's start, for people to read. */
export interface PlanLine {
  /** Who takes it; "root": it is taken once, when the server starts, and makes the root that all jobs start from. */
  readonly actor: "root" | "server" | "init" | "program";
  readonly name: string;
  readonly detail: string;
}

/**
 * What the API stands on. Every `ref` is a whole job id or a prefix of one that fits one job only; each method that takes one
 * throws an EngineError of kind "not_found", or "invalid" for a prefix that fits several. Expected failures are EngineErrors.
 */
export interface Engine {
  /**
   * Stores the job, starts it, and resolves once its program runs or its start has failed (state "failed", `failure` set);
   * at once with a job that has to wait, state "pending" or "scheduled".
   */
  run(input: JobSpecInput, owner: string, options?: RunOptions): Promise<Job>;
  /** The steps that `run` would take. */
  plan(input: JobSpecInput, owner: string): readonly PlanLine[];
  get(ref: string): Job;
  /** The job with what it uses now, if it runs: asked for apart, as it costs some looks at the kernel's files. */
  withUsage(job: Job): Job;
  list(query?: JobQuery): JobPage;
  /** The job now and after each change; ends after a terminal state or when the signal aborts. */
  watch(ref: string, signal: AbortSignal): AsyncGenerator<Job>;
  /** Output from an offset on, see LogQuery; ends when all was delivered or the signal aborts. */
  logs(ref: string, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogBatch>;
  /** Resolves with the ended job. One that waits is canceled; one that has ended already is returned unchanged. */
  stop(ref: string, options?: StopOptions): Promise<Job>;
  /** Calls off a job that waits. @throws {EngineError} kind "precondition" if it runs or has ended */
  cancel(ref: string): Promise<Job>;
  /** Removes an ended job and its output. @throws {EngineError} kind "precondition" if it has not ended */
  delete(ref: string): Promise<void>;
  /** Removes all ended jobs that fit, and their output. */
  deleteAll(query: DeleteQuery): Promise<DeleteResult>;
  /** Takes no new jobs and starts none; resolves when no job runs any more or the signal aborts. */
  drain(signal: AbortSignal): Promise<void>;
  /** Stops serving; jobs run on. */
  close(): Promise<void>;
}
