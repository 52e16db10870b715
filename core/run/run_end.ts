/** How a run ended, from its journal and its cgroup. */
import { EngineError } from "../errors.ts";
import type { Job } from "../jobs/job.ts";
import type { RunEnd } from "../jobs/outcome.ts";
import type { JournalOutcome } from "../logs/last_frame.ts";
import { programFailure, startFailure } from "../sandbox/failure.ts";
import { jobEnvironment, makePlan } from "../sandbox/plan.ts";
import type { EndFacts } from "./end_facts.ts";
import type { RunParts } from "./parts.ts";

const NS_PER_MS = 1_000_000n;

/** The attempt that ended. */
export type RunOf = Pick<Job, "id" | "owner" | "attempt" | "spec">;

/** A run without a journal, or with one that can't be read, ended in a way that nobody saw. */
export async function readRunEnd(parts: RunParts, job: RunOf, facts: EndFacts): Promise<RunEnd> {
  const run = { id: job.id, attempt: job.attempt };
  try {
    return toRunEnd(parts, job, await parts.logs.outcome(run, { trustTail: facts.endedInOrder }), facts);
  } catch (error) {
    if (!(error instanceof EngineError) && !(error instanceof Error && "code" in error)) throw error;
    parts.onError(`read how job ${job.id} ended`, error);
    return { exit: undefined, timedOut: false, signalPassedOn: false, oomKilled: facts.oomKilled, endedAt: new Date() };
  }
}

export function toRunEnd(parts: RunParts, job: RunOf, outcome: JournalOutcome, facts: EndFacts): RunEnd {
  const common = { timedOut: false, signalPassedOn: false, oomKilled: facts.oomKilled };
  switch (outcome.kind) {
    case "open": {
      const startedAt = outcome.startedNs === undefined ? {} : { startedAt: dateOf(outcome.startedNs) };
      return { ...common, exit: undefined, ...startedAt, endedAt: new Date() };
    }
    case "start_failed": {
      const failure = failureOf(parts, job, outcome.errno, outcome.step);
      return { ...common, exit: undefined, ...failure, endedAt: dateOf(outcome.timeNs) };
    }
    case "exited": {
      const { userCpuUs, systemCpuUs, maxRssBytes } = outcome.usage;
      return {
        exit: outcome.exit,
        timedOut: outcome.timedOut,
        signalPassedOn: outcome.signalPassedOn,
        oomKilled: facts.oomKilled,
        ...(facts.detail === undefined ? {} : { detail: facts.detail }),
        usage: {
          // What init saw of the program and its children; the cgroup knows of more.
          cpuUserMs: userCpuUs / 1000,
          cpuSystemMs: systemCpuUs / 1000,
          memoryPeakBytes: maxRssBytes,
          ...facts.usage,
          logBytes: parts.logs.diskBytes({ id: job.id, attempt: job.attempt }),
        },
        ...(outcome.startedNs === undefined ? {} : { startedAt: dateOf(outcome.startedNs) }),
        endedAt: dateOf(outcome.timeNs),
      };
    }
  }
}

function dateOf(timeNs: bigint): Date {
  return new Date(Number(timeNs / NS_PER_MS));
}

/** The journal keeps the number of the step; the plan, made again from the stored spec, knows its name. */
function failureOf(parts: RunParts, job: RunOf, errno: number, step: number): Pick<RunEnd, "failure"> {
  const failed = programFailure(errno, step, makePlan(job.spec, job.id, parts.host).program);
  if (!failed) return {};
  return { failure: startFailure(failed, job.spec, jobEnvironment(job.spec, job.id)["PATH"] ?? "") };
}
