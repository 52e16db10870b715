/** What an attempt's end means for its job: pure, so that every combination can be tested. */
import type { AttemptEnd, ExitStatus, Job, StartFailure, Usage } from "./job.ts";
import type { RetryCause } from "./spec.ts";

/** All that is known of a run that has ended. */
export interface RunEnd {
  /** undefined: nobody saw it. */
  readonly exit: ExitStatus | undefined;
  /** The program was sent the first signal of its timeout. */
  readonly timedOut: boolean;
  /** A signal from the server reached the program while it lived. */
  readonly signalPassedOn: boolean;
  /** The out-of-memory killer struck in the job's cgroup. */
  readonly oomKilled: boolean;
  /** The start failed. */
  readonly failure?: StartFailure;
  readonly usage?: Usage;
  /** Limits that it reached, in words; told if the job failed. */
  readonly detail?: string;
  /** When the program was executed, as init saw it; the server's own note is a moment late. */
  readonly startedAt?: Date;
  readonly endedAt: Date;
}

export interface EndContext {
  /** A stop was asked for, though that may not be stored. */
  readonly stopRequested: boolean;
  /** Why nobody saw the end, if nobody did. */
  readonly lostDetail: string;
}

const SIGKILL = 9;

/**
 * How the attempt ended. A job counts as stopped only if a stop was asked for and reached the program: one that ended by
 * itself at the same moment keeps its own end.
 */
export function terminalStatus(job: Job, end: RunEnd, context: EndContext): AttemptEnd {
  const startedAt = end.startedAt ?? ("startedAt" in job.status ? job.status.startedAt : undefined);
  const ran = {
    endedAt: end.endedAt,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(end.exit === undefined ? {} : { exit: end.exit }),
    ...(end.usage === undefined ? {} : { usage: end.usage }),
  };
  if (end.failure) return { state: "failed", reason: "start_failed", failure: end.failure, ...ran };
  if (!end.exit) return { state: "lost", reason: "lost", detail: context.lostDetail, ...ran };
  const detail = end.detail === undefined ? {} : { detail: end.detail };
  if (end.timedOut) return { state: "timeout", reason: "timeout", ...detail, ...ran };
  const killed = end.exit.kind === "signaled" && end.exit.signal === SIGKILL;
  if (end.oomKilled && killed) return { state: "failed", reason: "out_of_memory", ...detail, ...ran };
  const stopping = job.status.state === "stopping" || context.stopRequested;
  if (stopping && (end.signalPassedOn || killed)) return { state: "stopped", reason: "stopped", ...ran };
  if (end.exit.kind === "signaled") return { state: "failed", reason: "signaled", ...detail, ...ran };
  if (end.exit.code === 0) return { state: "completed", reason: "exited", ...ran };
  return { state: "failed", reason: "exited", ...detail, ...ran };
}

/** Whether another attempt follows this end. A job that is being stopped is not tried again. */
export function isRetried(job: Job, end: AttemptEnd, stopRequested: boolean): boolean {
  const { retry } = job.spec;
  if (!retry || job.attempt > retry.limit || stopRequested || job.status.state === "stopping") return false;
  const cause = causeOf(end);
  return cause !== undefined && retry.on.includes(cause);
}

function causeOf(end: AttemptEnd): RetryCause | undefined {
  switch (end.reason) {
    case "exited":
      return end.state === "failed" ? "exit" : undefined;
    case "signaled":
      return "signal";
    case "out_of_memory":
    case "lost":
    case "timeout":
      return end.reason;
    default:
      return undefined;
  }
}
