/** What a job's cgroup tells of its end, before it is removed. */
import type { JobCgroup } from "../cgroup/job_cgroup.ts";
import type { Job, Usage } from "../jobs/job.ts";
import type { Limits } from "../jobs/spec.ts";
import { formatBytes } from "../values/bytes.ts";
import { killLimit } from "./kill_limit.ts";
import type { RunParts } from "./parts.ts";
import type { TotalLimits } from "./shared_limits.ts";

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
  { shared, memoryMaxPercent }: Pick<RunParts, "shared" | "memoryMaxPercent">,
  cgroup: JobCgroup,
  { spec, owner }: Pick<Job, "spec" | "owner">,
  endedInOrder: boolean,
): EndFacts {
  const [memory, usage] = [cgroup.memoryEvents(), cgroup.endUsage()];
  const limits = killLimit(spec.limits, memoryMaxPercent);
  const totals = { user: shared.ofOwner(owner), all: shared.all };
  const details = [
    memory.kills > 0 && memoryDetail(limits, totals, memory.ownLimit),
    cgroup.pidsRefused() && pidsDetail(limits, totals, usage.pidsPeak),
  ].filter((detail) => detail !== false);
  return {
    oomKilled: memory.kills > 0,
    ...(details.length > 0 && { detail: details.join("; ") }),
    usage,
    endedInOrder,
  };
}

/** The limits that a job shares: with its user's others, and with all. */
export interface Totals {
  readonly user: TotalLimits;
  readonly all: TotalLimits;
}

/** @param ownLimit the killer came because of the job's own limit */
export function memoryDetail({ memoryBytes }: Limits, totals: Totals, ownLimit: boolean): string {
  if (ownLimit && memoryBytes !== undefined) return `it reached its limit of ${formatBytes(memoryBytes)} of memory`;
  const shared = sharedDetails(totals, ({ memoryBytes }) => memoryBytes && `${formatBytes(memoryBytes)} of memory`);
  return shared.length === 0 ? "the host ran out of memory" : [...shared, "or the host its own"].join(", ");
}

/**
 * Which of the limits it was the kernel does not tell in one way in all versions.
 * @param peak the most processes that the job ever had; undefined if that is not known
 */
export function pidsDetail({ pids }: Limits, totals: Totals, peak = Infinity): string {
  const shared = sharedDetails(totals, ({ pids }) => pids && `${pids} processes`);
  const own = pids === undefined || peak < pids ? [] : [`it reached its limit of ${pids} processes`];
  return [...own, ...shared].join(", or ") || "the host's limit of processes was reached";
}

/** The shared limits that may have been reached. @param name an amount in words; falsy: not limited */
function sharedDetails({ user, all }: Totals, name: (limits: TotalLimits) => string | number | undefined): string[] {
  const [ofUser, ofAll] = [name(user), name(all)];
  return [
    ofUser && `the jobs of its user reached their limit of ${ofUser} together`,
    ofAll && `all jobs reached their limit of ${ofAll} together`,
  ].filter((detail) => typeof detail === "string");
}
