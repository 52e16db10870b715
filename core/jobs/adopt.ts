/**
 * After a start of the server: takes over the jobs that an earlier one left, whatever way it ended.
 *
 * The kernel's own list of the inits' cgroup says which jobs run, so nothing depends on what the earlier server had
 * time to store: a pid in there can't belong to anybody else. An init that is not there has ended, and its journal
 * says how; that order matters, as an init may end while this runs.
 */
import { closeFd, pidfdOpen, pidfdSendSignal, SyscallError } from "../../ffi/mod.ts";
import { EngineError } from "../errors.ts";
import { journalPath } from "../logs/journal_file.ts";
import { readOutcome } from "../logs/last_frame.ts";
import type { Job } from "./job.ts";
import { changeJob, endJob, LiveJob } from "./live_job.ts";
import type { EngineParts } from "./parts.ts";
import type { Running } from "./start.ts";

const SIGKILL = 9;

/** @returns the jobs that run on, by id */
export async function adoptJobs(parts: EngineParts): Promise<Map<string, LiveJob>> {
  const inits = findInits(parts);
  const stored = parts.store.live();
  const adopted = new Map<string, LiveJob>();
  await Promise.all(stored.map(async (job) => {
    const init = inits.get(job.id);
    inits.delete(job.id);
    if (!init) return await endAbsent(parts, job);
    await markRunning(parts, job);
    adopted.set(job.id, resume(parts, job, { ...init, cgroup: parts.tree.job(job.id) }));
  }));
  for (const [id, { pidfd }] of inits) {
    parts.onError(`end the unknown job ${id}`, new Error("an init of this server's cgroup belongs to no stored job"));
    pidfdSendSignal(pidfd, SIGKILL);
    closeFd(pidfd);
  }
  await removeLeftovers(parts, new Set(adopted.keys()));
  return adopted;
}

/** Inits that run, with the job id that stands in their command line. */
function findInits(parts: EngineParts): Map<string, Omit<Running, "cgroup">> {
  const found = new Map<string, Omit<Running, "cgroup">>();
  for (const pid of parts.tree.initPids()) {
    let pidfd: number | undefined;
    try {
      // The pidfd first: if the pid was reused meanwhile, the command line read after it is the other process's.
      pidfd = pidfdOpen(pid);
      const [name, id] = Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
      if (name === "init" && id) found.set(id, { pid, pidfd });
      else closeFd(pidfd);
    } catch (error) {
      if (pidfd !== undefined) closeFd(pidfd);
      const gone = error instanceof Deno.errors.NotFound ||
        (error instanceof SyscallError && error.errnoName === "ESRCH");
      if (!gone) throw error;
    }
  }
  return found;
}

/** The earlier server may have ended between the start of the program and the note of it. */
async function markRunning(parts: EngineParts, job: Job): Promise<void> {
  if (job.status.state === "initializing") await changeJob(parts, job, { state: "running", startedAt: new Date() });
}

function resume(parts: EngineParts, job: Job, running: Running): LiveJob {
  const live = new LiveJob(parts, job.id, running);
  if (job.status.state === "stopping") {
    const left = job.status.requestedAt.getTime() + parts.config.stopGraceMs - Date.now();
    live.stop("SIGTERM", Math.max(0, left));
  }
  return live;
}

async function endAbsent(parts: EngineParts, job: Job): Promise<void> {
  const cgroup = parts.tree.job(job.id);
  const facts = { oomKilled: cgroup.oomKills() > 0, memoryPeakBytes: cgroup.memoryPeak(), endedInOrder: false };
  await cgroup.remove();
  if (job.status.state !== "initializing" || await hasRun(parts, job)) return void await endJob(parts, job.id, facts);
  await changeJob(parts, job, {
    state: "failed",
    reason: "start_failed",
    failure: {
      step: "start the job",
      errno: "ECANCELED",
      message: "start the job: the server ended before it could",
      exitCode: 125,
    },
    endedAt: new Date(),
  });
}

async function hasRun(parts: EngineParts, job: Job): Promise<boolean> {
  try {
    const outcome = await readOutcome(journalPath(parts.config.home, job.id));
    return outcome.kind !== "open" || outcome.started;
  } catch (error) {
    if (error instanceof EngineError && error.kind === "not_found") return false;
    throw error;
  }
}

/** Cgroups of jobs that are over. */
async function removeLeftovers(parts: EngineParts, adopted: ReadonlySet<string>): Promise<void> {
  await Promise.all(
    parts.tree.jobIds().filter((id) => !adopted.has(id)).map(async (id) => {
      const cgroup = parts.tree.job(id);
      cgroup.kill();
      await cgroup.remove();
    }),
  );
}
