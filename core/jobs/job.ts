/**
 * The life of a job. `transition` is the only way from one state to another.
 *
 *               ┌───────────────────────────────────► canceled
 *               │                                        ▲
 *   scheduled ──┴──► pending ─┬──────────────────────────┘     failed (start failed)
 *      ▲                ▲     │                                  ▲
 *      │ retry, later   │     └─► initializing ──────────────────┼─► running ─┬─► completed | failed | timeout | lost
 *      └────────────────┴────────── begun anew, retried ─────────┴────────────┤
 *                                                                             └─► stopping ─► stopped | completed
 *                                                                                              | failed | timeout | lost
 *
 * A recurring job stays `scheduled`; its runs are jobs of their own. The note that a program runs may be lost with the
 * server, so an end may follow `initializing` directly. A stop that races with a natural end is told truthfully:
 * `stopping` ends as `stopped` only if the program died through the stop. A job that is being stopped is not retried.
 */
import type { SignalName } from "../values/signal.ts";
import type { JobSpec } from "./spec.ts";

/** Which step of a start failed and how. */
export interface StartFailure {
  /** The step in words, such as "mount proc on /proc". */
  readonly step: string;
  /** Kernel error name, such as "EPERM"; empty where no system call failed. */
  readonly errno: string;
  /** Step, error and, where there is one, the cure, as one sentence. */
  readonly message: string;
  /** 127: program not found; 126: not executable; 125: any other step. */
  readonly exitCode: 125 | 126 | 127;
}

/** How the program itself ended; never guessed. */
export type ExitStatus = { readonly kind: "exited"; readonly code: number } | {
  readonly kind: "signaled";
  readonly signal: number;
};

/** How long work waited for a resource that was short (the kernel's pressure stall information). */
export interface Pressure {
  /** Time in which some, or all, of the job's processes waited, in microseconds. */
  readonly someTotalUs: number;
  readonly fullTotalUs?: number;
  /** The same as a share of the last ten seconds, in percent; only while the job runs. */
  readonly someAvg10?: number;
  readonly fullAvg10?: number;
}

/** What a job uses, or used in all; absent fields were not measured. */
export interface Usage {
  readonly cpuUserMs?: number;
  readonly cpuSystemMs?: number;
  /** Now; only while the job runs. */
  readonly memoryBytes?: number;
  readonly memoryPeakBytes?: number;
  /** Read from and written to disks, and how often. */
  readonly ioReadBytes?: number;
  readonly ioWriteBytes?: number;
  readonly ioReadOps?: number;
  readonly ioWriteOps?: number;
  /** Processes and threads now; only while the job runs. */
  readonly pids?: number;
  readonly pidsPeak?: number;
  readonly pressure?: { readonly cpu?: Pressure; readonly memory?: Pressure; readonly io?: Pressure };
  /** What its output took on the disk when it ended. */
  readonly logBytes?: number;
}

/** Why a job ended. */
export type EndReason =
  | "exited"
  | "signaled"
  | "stopped"
  | "timeout"
  | "out_of_memory"
  | "start_failed"
  | "canceled"
  | "lost";

interface Ended {
  readonly endedAt: Date;
  readonly reason: EndReason;
  /** More on the end, in words: why a job is lost, which limits it reached. */
  readonly detail?: string;
}

interface Ran extends Ended {
  /** Absent if the engine that saw the start went down before it stored it. */
  readonly startedAt?: Date;
  readonly exit?: ExitStatus;
  readonly usage?: Usage;
}

interface Live {
  /** What it uses now. Not stored: it is measured when somebody asks. */
  readonly usage?: Usage;
}

/** State and the data that exists only in it. Times are UTC. */
export type JobStatus =
  | {
    readonly state: "pending";
    /** Why it waits, in words. Not stored: it changes with every other job. */
    readonly waitingFor?: string;
  }
  | { readonly state: "scheduled"; readonly at: Date }
  | { readonly state: "initializing" }
  | { readonly state: "running"; readonly startedAt: Date } & Live
  | {
    readonly state: "stopping";
    readonly startedAt: Date;
    readonly requestedAt: Date;
    /** The first signal, and when what is left is killed. */
    readonly signal: SignalName;
    readonly killAt: Date;
  } & Live
  | ({ readonly state: "completed" } & Ran)
  | ({ readonly state: "failed"; readonly failure?: StartFailure } & Ran)
  | ({ readonly state: "stopped" } & Ran)
  | ({ readonly state: "timeout" } & Ran)
  | ({ readonly state: "canceled" } & Ended)
  | ({ readonly state: "lost" } & Ran);

export type JobStateName = JobStatus["state"];

/** States that end an attempt which ran. */
export type RanState = "completed" | "failed" | "stopped" | "timeout" | "lost";

/** How an attempt ended that was followed by another one. */
export type AttemptEnd = Extract<JobStatus, { readonly state: RanState }>;

/** A job as stored. */
export interface Job {
  /** UUID, version 4. */
  readonly id: string;
  readonly owner: string;
  readonly spec: JobSpec;
  readonly status: JobStatus;
  readonly createdAt: Date;
  /** Grows by one with each change; compare-and-set key. */
  readonly version: number;
  /** Which attempt the status tells of, from 1. */
  readonly attempt: number;
  /** How the attempts before it ended, in order. */
  readonly earlier: readonly AttemptEnd[];
  /** Id of the recurring job that this is a run of. */
  readonly scheduledBy?: string;
  /** Unique among the owner's jobs. */
  readonly idempotencyKey?: string;
}

const RUN_ENDS = ["completed", "failed", "timeout", "lost"] as const;
const AGAIN = ["pending", "scheduled"] as const;

const NEXT: Readonly<Record<JobStateName, readonly JobStateName[]>> = {
  pending: ["initializing", "canceled"],
  scheduled: ["scheduled", "pending", "canceled"],
  initializing: ["running", "stopped", ...RUN_ENDS, ...AGAIN],
  running: ["stopping", "stopped", ...RUN_ENDS, ...AGAIN],
  stopping: ["stopped", ...RUN_ENDS],
  completed: [],
  failed: [],
  stopped: [],
  timeout: [],
  canceled: [],
  lost: [],
};

/** Thrown by `transition`: a defect of the caller, never of a user. */
export class IllegalTransitionError extends Error {
  override readonly name = "IllegalTransitionError";

  constructor(readonly id: string, readonly from: JobStateName, readonly to: JobStateName) {
    super(`Cannot move job ${id} from state '${from}' to state '${to}'`);
  }
}

/** Whether nothing follows this state. */
export function isTerminal(state: JobStateName): boolean {
  return NEXT[state].length === 0;
}

/** Whether it waits: for its time, for resources or for its next attempt. */
export function isWaiting({ status: { state } }: Job): boolean {
  return state === "pending" || state === "scheduled";
}

/** The job with its next status; `version` grows by one. @throws {IllegalTransitionError} */
export function transition(job: Job, to: JobStatus): Job {
  if (!NEXT[job.status.state].includes(to.state)) {
    throw new IllegalTransitionError(job.id, job.status.state, to.state);
  }
  return { ...job, status: to, version: job.version + 1 };
}

/** The job with its next attempt, after one that ended like this. @throws {IllegalTransitionError} */
export function nextAttempt(job: Job, ended: AttemptEnd, to: JobStatus): Job {
  return { ...transition(job, to), attempt: job.attempt + 1, earlier: [...job.earlier, ended] };
}
