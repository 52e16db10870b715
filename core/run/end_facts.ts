/** What a job's cgroup tells of its end, before it is removed. */
import type { JobCgroup } from "../cgroup/job_cgroup.ts";
import { userFolder } from "../cgroup/user_folder.ts";
import type { Job, Usage } from "../jobs/job.ts";
import type { Limits } from "../jobs/spec.ts";
import { formatBytes } from "../values/bytes.ts";
import type { RunParts } from "./parts.ts";
import type { TotalLimits } from "./user_totals.ts";

/** What is known of a run besides its journal. */
export interface EndFacts {
  readonly oomKilled: boolean;
  /** Limits that it has reached, in words. */
  readonly detail?: string;
  readonly usage: Usage;
  /** init is known to have written its last frame, so nothing in the output can pass for one. */
  readonly endedInOrder: boolean;
}

export function readEndFacts(
  { totals }: Pick<RunParts, "totals">,
  cgroup: JobCgroup,
  { spec, owner }: Pick<Job, "spec" | "owner">,
  endedInOrder: boolean,
): EndFacts {
  const [memory, usage] = [cgroup.memoryEvents(), cgroup.endUsage()];
  const total = totals.of(userFolder(owner));
  const details = [
    memory.kills > 0 && memoryDetail(spec.limits, total, memory.ownLimit),
    cgroup.pidsRefused() && pidsDetail(spec.limits, total, usage.pidsPeak),
  ].filter((detail) => detail !== false);
  return {
    oomKilled: memory.kills > 0,
    ...(details.length > 0 && { detail: details.join("; ") }),
    usage,
    endedInOrder,
  };
}

/** @param ownLimit the killer came because of the job's own limit */
export function memoryDetail({ memoryBytes }: Limits, total: TotalLimits, ownLimit: boolean): string {
  if (ownLimit && memoryBytes !== undefined) return `it reached its limit of ${formatBytes(memoryBytes)} of memory`;
  if (total.memoryBytes === undefined) return "the host ran out of memory";
  return `the jobs of its user reached their limit of ${
    formatBytes(total.memoryBytes)
  } of memory together, or the host its own`;
}

/**
 * Which of the limits it was the kernel does not tell in one way in all versions.
 * @param peak the most processes that the job ever had; undefined if that is not known
 */
export function pidsDetail({ pids }: Limits, total: TotalLimits, peak = Infinity): string {
  const own = `it reached its limit of ${pids} processes`;
  const shared = `the jobs of its user reached their limit of ${total.pids} processes together`;
  if (pids === undefined || peak < pids) {
    return total.pids === undefined ? "the host's limit of processes was reached" : shared;
  }
  return total.pids === undefined ? own : `${own}, or ${shared}`;
}
