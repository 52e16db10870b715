/** From a stored job to a running program: journal, cgroup with its limits, launch. What fails is named. */
import { closeFd, errnoNumber, pidfdSendSignal, SyscallError } from "../../ffi/mod.ts";
import { CgroupWriteError, type JobCgroup } from "../cgroup/job_cgroup.ts";
import { wholeDiskOf } from "../cgroup/io_device.ts";
import { limitWrites } from "../cgroup/limits.ts";
import { EngineError } from "../errors.ts";
import { type FailedStep, startFailure } from "../sandbox/failure.ts";
import { jobEnvironment, makePlan } from "../sandbox/plan.ts";
import type { Job, StartFailure } from "../jobs/job.ts";
import type { RunParts } from "./parts.ts";
import type { LiveInit } from "./sandboxed_run.ts";
import { whenEnded } from "./when_ended.ts";

const SIGKILL = 9;

export type StartResult = { readonly init: LiveInit } | { readonly failure: StartFailure } | { readonly later: string };

/** A step of the server's own that failed. */
class ServerStepError extends Error {
  constructor(readonly failed: FailedStep, options: ErrorOptions) {
    super(failed.step, options);
  }
}

/** Starts an attempt; resolves once its program was executed or its start has failed, with nothing left of it then. */
export async function startRun(parts: RunParts, job: Job): Promise<StartResult> {
  const cgroup = parts.tree.job(job.id);
  const plan = makePlan(job.spec, job.id, parts.host);
  let failed: FailedStep | undefined;
  try {
    const journal = attempt("create the journal", () => parts.logs.create({ id: job.id, attempt: job.attempt }));
    attempt("create the job's cgroup", () => cgroup.create(writesFor(parts, job)));
    const cgroupFd = attempt("open the job's cgroup", () => cgroup.open());
    try {
      const init = attempt("clone3", () => parts.launcher.start({ plan, journalPath: journal, cgroupFd }));
      parts.onSpareTime();
      failed = await whenStarted(init.outcome, init.pidfd, cgroup, parts.startTimeoutMs);
      if (!failed) return { init: { pid: init.pid, pidfd: init.pidfd, cgroup } };
      await whenEnded(parts.poller, init.pidfd);
      closeFd(init.pidfd);
    } finally {
      closeFd(cgroupFd);
    }
  } catch (error) {
    if (error instanceof ServerStepError) {
      failed = error.failed;
      if (isFullDisk(error.cause)) {
        await cgroup.remove();
        await parts.logs.removeRun({ id: job.id, attempt: job.attempt });
        return { later: failed.step };
      }
    } else {
      // A defect: the log has it whole, and the job must not stay half started.
      parts.onError(`start job ${job.id}`, error);
      failed = { step: "start the job: the server failed, its log says more", errno: 0, isExec: false };
    }
  }
  await cgroup.remove();
  const path = jobEnvironment(job.spec, job.id)["PATH"] ?? "";
  return { failure: startFailure(failed, job.spec, path) };
}

function writesFor(parts: RunParts, job: Job) {
  const { limits } = job.spec;
  return limitWrites(limits, limits.ioBytesPerSecond === undefined ? undefined : wholeDiskOf(parts.diskFolder));
}

/** Waits for the outcome; a start that hangs (a dead network file system) is killed. */
async function whenStarted(
  outcome: Promise<FailedStep | undefined>,
  pidfd: number,
  cgroup: JobCgroup,
  timeoutMs: number,
): Promise<FailedStep | undefined> {
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    cgroup.kill();
    killInit(pidfd);
  }, timeoutMs);
  try {
    const failed = await outcome;
    if (!timedOut) return failed;
    return { step: `start within ${timeoutMs} ms`, errno: errnoNumber("ETIMEDOUT"), isExec: false };
  } finally {
    clearTimeout(timer);
  }
}

function killInit(pidfd: number): void {
  try {
    pidfdSendSignal(pidfd, SIGKILL);
  } catch (error) {
    // It has just ended by itself.
    if (!(error instanceof SyscallError && error.errnoName === "ESRCH")) throw error;
  }
}

/** The step may succeed later: nothing about the job is wrong. */
function isFullDisk(error: unknown): boolean {
  return error instanceof EngineError && error.kind === "exhausted";
}

/** Runs one step of the server's own and names it if it fails. */
function attempt<T>(step: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const errno = errnoOf(cause) ?? (isFullDisk(cause) ? errnoNumber("ENOSPC") : undefined);
    if (errno === undefined) throw cause;
    const name = cause instanceof CgroupWriteError ? `${cause.message} of the job's cgroup` : step;
    throw new ServerStepError({ step: name, errno, isExec: false }, { cause });
  }
}

/** Error number of a failed system call, wherever it was made; undefined for any other error. */
function errnoOf(error: unknown): number | undefined {
  if (error instanceof SyscallError) return error.errno;
  if (error instanceof CgroupWriteError || error instanceof EngineError) return errnoOf(error.cause);
  if (error instanceof Error && "code" in error && typeof error.code === "string") return errnoNumber(error.code);
  return undefined;
}
