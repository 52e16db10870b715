/** A job whose init runs: waits for its end, stops it, and stores how it ended. */
import { closeFd, pidfdSendSignal, SyscallError } from "../../ffi/mod.ts";
import { journalPath } from "../logs/journal_file.ts";
import { readOutcome } from "../logs/last_frame.ts";
import { programFailure, startFailure } from "../sandbox/failure.ts";
import { jobEnvironment, makePlan } from "../sandbox/plan.ts";
import { type SignalName, signalNumber } from "../values/signal.ts";
import { type Job, type JobStatus, transition } from "./job.ts";
import { type RunEnd, terminalStatus } from "./outcome.ts";
import type { ReplaceOptions } from "../state/store.ts";
import type { EngineParts } from "./parts.ts";
import type { Running } from "./start.ts";
import { whenEnded } from "./when_ended.ts";

const NS_PER_MS = 1_000_000n;

export class LiveJob {
  /** Resolves with the ended job, once that is stored and nothing is left of its run. */
  readonly ended: Promise<Job>;
  readonly #parts: EngineParts;
  readonly #id: string;
  readonly #running: Running;
  #killTimer: ReturnType<typeof setTimeout> | undefined;
  #gone = false;

  constructor(parts: EngineParts, id: string, running: Running) {
    this.#parts = parts;
    this.#id = id;
    this.#running = running;
    this.ended = this.#finish();
  }

  /** Sends the signal and, after the grace, kills the whole tree. SIGKILL kills it at once. */
  stop(signal: SignalName, graceMs: number): void {
    if (this.#gone) return;
    if (signal === "SIGKILL" || graceMs <= 0) return this.#kill();
    try {
      pidfdSendSignal(this.#running.pidfd, signalNumber(signal));
    } catch (error) {
      // ESRCH: it has just ended by itself; `ended` is about to say so.
      if (!(error instanceof SyscallError && error.errnoName === "ESRCH")) throw error;
    }
    clearTimeout(this.#killTimer);
    this.#killTimer = setTimeout(() => this.#kill(), graceMs);
  }

  /** Kills the program's cgroup, not init: it stores how the program ended and what it had still to say. */
  #kill(): void {
    if (!this.#gone) this.#running.cgroup.kill();
  }

  /** Lets go of the job without ending it; one that has just ended is stored and cleaned up first. */
  async release(): Promise<void> {
    clearTimeout(this.#killTimer);
    if (this.#gone) await this.ended;
  }

  async #finish(): Promise<Job> {
    const { pidfd, cgroup } = this.#running;
    const init = await whenEnded(this.#parts.poller, pidfd);
    this.#gone = true;
    clearTimeout(this.#killTimer);
    closeFd(pidfd);
    const oomKilled = cgroup.oomKills() > 0;
    const memoryPeakBytes = cgroup.memoryPeak();
    await cgroup.remove();
    const endedInOrder = init !== undefined && "code" in init && init.code === 0;
    return await endJob(this.#parts, this.#id, { oomKilled, memoryPeakBytes, endedInOrder });
  }
}

/** What is known of a run besides its journal. */
export interface EndFacts {
  readonly oomKilled: boolean;
  readonly memoryPeakBytes: number | undefined;
  /** init is known to have written its last frame, so nothing in the output can pass for one. */
  readonly endedInOrder: boolean;
}

/** Stores the terminal status that the journal tells. */
export async function endJob(parts: EngineParts, id: string, facts: EndFacts): Promise<Job> {
  const end = await readRunEnd(parts, id, facts);
  const job = parts.store.get(id);
  if (!job) throw new Error(`Cannot end job ${id}: it is not stored`);
  return await changeJob(parts, job, terminalStatus(job, end));
}

/** Moves a job to its next status, stores and announces it. */
export async function changeJob(
  parts: EngineParts,
  job: Job,
  status: JobStatus,
  options: ReplaceOptions = {},
): Promise<Job> {
  const next = transition(job, status);
  const stored = parts.store.replace(next, options);
  parts.events.publish(next);
  await stored;
  return next;
}

async function readRunEnd(parts: EngineParts, id: string, facts: EndFacts): Promise<RunEnd> {
  const outcome = await readOutcome(journalPath(parts.config.home, id), { trustTail: facts.endedInOrder });
  const common = { timedOut: false, signalPassedOn: false, oomKilled: facts.oomKilled };
  switch (outcome.kind) {
    case "open":
      return { ...common, exit: undefined, endedAt: new Date() };
    case "start_failed": {
      const failure = failureOf(parts, id, outcome.errno, outcome.step);
      return { ...common, exit: undefined, ...failure, endedAt: dateOf(outcome.timeNs) };
    }
    case "exited": {
      const { userCpuUs, systemCpuUs, maxRssBytes } = outcome.usage;
      return {
        exit: outcome.exit,
        timedOut: outcome.timedOut,
        signalPassedOn: outcome.signalPassedOn,
        oomKilled: facts.oomKilled,
        usage: {
          cpuUserMs: userCpuUs / 1000,
          cpuSystemMs: systemCpuUs / 1000,
          memoryPeakBytes: facts.memoryPeakBytes ?? maxRssBytes,
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
function failureOf(parts: EngineParts, id: string, errno: number, step: number): Pick<RunEnd, "failure"> {
  const job = parts.store.get(id);
  const failed = job && programFailure(errno, step, makePlan(job.spec, id, parts.host).program);
  if (!failed) return {};
  return { failure: startFailure(failed, job.spec, jobEnvironment(job.spec, id)["PATH"] ?? "") };
}
