/**
 * Runs attempts of jobs. What decides about jobs (this folder) knows this interface alone; core/run implements it with
 * sandboxes and cgroups, tests with a model.
 */
import type { SignalName } from "../values/signal.ts";
import type { PlanLine } from "./engine.ts";
import type { Job, StartFailure, Usage } from "./job.ts";
import type { RunEnd } from "./outcome.ts";
import type { PlainSecrets } from "./secrets.ts";
import type { JobSpec, Limits } from "./spec.ts";

/** An attempt whose program runs. */
export interface Run {
  /** Resolves once nothing is left of it: no process, cgroup or file but its output. */
  readonly ended: Promise<RunEnd>;
  /** Sends the signal and, after the grace, kills all of it. SIGKILL kills at once. One that has ended is left alone. */
  stop(signal: SignalName, graceMs: number): void;
  /** What it uses now; undefined if it has ended. */
  usage(): Usage | undefined;
  /** Lets go of it without ending it; `ended` stays open then. @returns true: it has ended, and `ended` is about to say so */
  release(): Promise<boolean>;
}

export type StartResult =
  | { readonly run: Run }
  /** The job can't be started; nothing is left of the attempt but its output, if it has any. */
  | { readonly failure: StartFailure }
  /** It was not begun, as the disk is full: it may be later. */
  | { readonly later: string };

export interface Runner {
  /** Whether this host can enforce all of these limits. */
  supports(limits: Limits): boolean;
  /** Refuses what this host can't enforce. @param asked the limits that the caller named @throws {EngineError} kind "precondition" */
  check(spec: JobSpec, owner: string, asked: Limits): void;
  /** The steps of a start. Of secrets they tell the names and, of files, the sizes. @param spec without its secrets */
  plan(spec: JobSpec, owner: string, secrets: PlainSecrets): readonly PlanLine[];
  /** Starts the job's present attempt. */
  start(job: Job): Promise<StartResult>;
  /** Attempts that an earlier server started and that run on, by job id. */
  adopt(): Promise<ReadonlyMap<string, Run>>;
  /** How an attempt ended that `adopt` did not find; undefined if it never began. */
  lookBack(job: Job): Promise<RunEnd | undefined>;
  /** Removes what a deleted job has kept besides its output. */
  discard(id: string): Promise<void>;
  /** Removes what is left of attempts of all other jobs, and what jobs that are stored no more have kept. */
  removeLeftovers(keep: ReadonlySet<string>): Promise<void>;
}
