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
}

/** One step of a job's start, for people to read. */
export interface PlanLine {
  /** Who takes it. */
  readonly actor: "server" | "init" | "program";
  readonly name: string;
  readonly detail: string;
}

/**
 * What the API stands on. Every `ref` is a whole job id or a prefix of one that fits one job only; each method that takes one
 * throws an EngineError of kind "not_found", or "invalid" for a prefix that fits several. Expected failures are EngineErrors.
 */
export interface Engine {
  /** Stores the job, starts it, and resolves once its program runs or its start has failed (state "failed", `failure` set). */
  run(input: JobSpecInput, owner: string): Promise<Job>;
  /** The steps that `run` would take. */
  plan(input: JobSpecInput): readonly PlanLine[];
  get(ref: string): Job;
  list(query?: JobQuery): JobPage;
  /** The job now and after each change; ends after a terminal state or when the signal aborts. */
  watch(ref: string, signal: AbortSignal): AsyncGenerator<Job>;
  /** Output from an offset on, see LogQuery; ends when all was delivered or the signal aborts. */
  logs(ref: string, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogBatch>;
  /** Resolves with the ended job. A job that has ended already is returned unchanged. */
  stop(ref: string, options?: StopOptions): Promise<Job>;
  /** Removes an ended job and its output. @throws {EngineError} kind "precondition" if it has not ended */
  delete(ref: string): Promise<void>;
  /** Stops serving; jobs run on. */
  close(): Promise<void>;
}
