/** From a stored job to a running program: journal, cgroup with its limits, launch. What fails is named. */
import { closeFd, errnoNumber, pidfdSendSignal, SyscallError } from "../../ffi/mod.ts";
import { CgroupWriteError } from "../cgroup/apply.ts";
import type { JobCgroup } from "../cgroup/job_cgroup.ts";
import { EngineError } from "../errors.ts";
import { type FailedStep, startFailure } from "../sandbox/failure.ts";
import { jobEnvironment, makePlan, profileOf } from "../sandbox/plan.ts";
import type { JobIdentity } from "../sandbox/user_namespaces.ts";
import type { Job, StartFailure } from "../jobs/job.ts";
import { type PlainSecrets, wipeFiles } from "../jobs/secrets.ts";
import { DEFAULT_UID } from "../jobs/spec.ts";
import { jobWrites } from "./host_limits.ts";
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
  const cgroup = parts.tree.job(job.id, job.owner);
  let failed: FailedStep;
  try {
    const secrets = attempt("open the job's secrets", () => parts.secrets.open(job.spec, job.owner));
    using _opened = { [Symbol.dispose]: () => wipeFiles(secrets) };
    const identity = await attemptLater("make a user namespace", () => parts.users.take());
    const started = await launchWith(parts, job, { cgroup, identity, secrets }).catch(async (error: unknown) => {
      await cgroup.remove();
      parts.users.give(identity);
      throw error;
    });
    if ("init" in started) return started;
    await cgroup.remove();
    parts.users.give(identity);
    failed = started.failed;
  } catch (error) {
    if (error instanceof ServerStepError) {
      failed = error.failed;
      if (isFullDisk(error.cause)) {
        await parts.logs.removeRun({ id: job.id, attempt: job.attempt });
        return { later: failed.step };
      }
    } else {
      // A defect: the log has it whole, and the job must not stay half started.
      parts.onError(`start job ${job.id}`, error);
      failed = { step: "start the job: the server failed, its log says more", errno: 0, isExec: false };
    }
  }
  const path = jobEnvironment(job.spec, job.id)["PATH"] ?? "";
  return { failure: startFailure(failed, job.spec, path) };
}

type Launched = { readonly init: LiveInit } | { readonly failed: FailedStep };

/** What an attempt has that others don't. */
interface Own {
  readonly cgroup: JobCgroup;
  readonly identity: JobIdentity;
  readonly secrets: PlainSecrets;
}

/** Makes what the attempt needs and launches it. @throws {ServerStepError} a step of the server's own has failed */
async function launchWith(parts: RunParts, job: Job, { cgroup, identity, secrets }: Own): Promise<Launched> {
  const { spec } = job;
  const made = makePlan(spec, job.id, parts.host, { range: identity.range, secrets });
  const plan = parts.alter.plan?.(made) ?? made;
  const journalPath = attempt("create the journal", () => parts.logs.create({ id: job.id, attempt: job.attempt }));
  attempt("create the job's cgroup", () => cgroup.create(jobWrites(parts, spec.limits, job.owner)));
  const cgroupFd = attempt("open the job's cgroup", () => cgroup.open());
  let workFd: number | undefined;
  try {
    if (spec.work === "kept") workFd = await attemptLater("open the kept folder", () => openWork(parts, job, identity));
    const { usersFd } = identity;
    const work = workFd === undefined ? {} : { workFd };
    const init = attempt("clone3", () => parts.launcher.start({ plan, journalPath, cgroupFd, usersFd, ...work }));
    parts.onSpareTime();
    const failed = await whenStarted(init.outcome, init.pidfd, cgroup, parts.startTimeoutMs);
    const { range } = identity;
    if (!failed) return { init: { pid: init.pid, pidfd: init.pidfd, cgroup, range } };
    await whenEnded(parts.poller, init.pidfd);
    closeFd(init.pidfd);
    return { failed };
  } finally {
    closeFd(cgroupFd);
    if (workFd !== undefined) closeFd(workFd);
  }
}

function openWork({ work, host }: RunParts, { id, spec }: Job, identity: JobIdentity): Promise<number> {
  return work.open(id, { identity, uid: spec.uid ?? DEFAULT_UID, noExec: profileOf(spec, host).strict });
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
    throw serverStepError(step, cause);
  }
}

async function attemptLater<T>(step: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    throw serverStepError(step, cause);
  }
}

/** The failure with its step; a defect stays as it is. */
function serverStepError(step: string, cause: unknown): unknown {
  const errno = errnoOf(cause) ?? (isFullDisk(cause) ? errnoNumber("ENOSPC") : undefined);
  if (errno !== undefined) {
    const name = cause instanceof CgroupWriteError ? cause.message : step;
    return new ServerStepError({ step: name, errno, isExec: false }, { cause });
  }
  // A limit that the kernel took but made something else of, a disk that is no longer there, a namespace that can't be made.
  if (!(cause instanceof CgroupWriteError || cause instanceof EngineError)) return cause;
  return new ServerStepError({ step: `${step}: ${cause.message}`, errno: 0, isExec: false }, { cause });
}

/** Error number of a failed system call, wherever it was made; undefined for any other error. */
function errnoOf(error: unknown): number | undefined {
  if (error instanceof SyscallError) return error.errno;
  if (error instanceof CgroupWriteError || error instanceof EngineError) return errnoOf(error.cause);
  if (error instanceof Error && "code" in error && typeof error.code === "string") return errnoNumber(error.code);
  return undefined;
}
