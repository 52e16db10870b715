/** A run in a sandbox: waits for its end, stops it, and tells how it ended. */
import { closeFd, pidfdSendSignal, SyscallError } from "../../ffi/mod.ts";
import type { JobCgroup } from "../cgroup/job_cgroup.ts";
import type { Usage } from "../jobs/job.ts";
import type { RunEnd } from "../jobs/outcome.ts";
import type { Run } from "../jobs/runner.ts";
import { type SignalName, signalNumber } from "../values/signal.ts";
import type { IdRange } from "../sandbox/id_ranges.ts";
import type { RunParts } from "./parts.ts";
import { readEndFacts } from "./end_facts.ts";
import { readRunEnd, type RunOf } from "./run_end.ts";
import { whenEnded } from "./when_ended.ts";

/** A running init and the cgroup of its job. Whoever gets it closes the pidfd. */
export interface LiveInit {
  readonly pid: number;
  readonly pidfd: number;
  readonly cgroup: JobCgroup;
  /** The ids that the job has until nothing is left of it; one of an earlier version has none. */
  readonly range: IdRange | undefined;
}

export class SandboxedRun implements Run {
  readonly ended: Promise<RunEnd>;
  readonly #parts: RunParts;
  readonly #job: RunOf;
  readonly #init: LiveInit;
  #killTimer: ReturnType<typeof setTimeout> | undefined;
  #gone = false;

  /** @param init its pidfd is this one's from now on */
  constructor(parts: RunParts, job: RunOf, init: LiveInit) {
    this.#parts = parts;
    this.#job = job;
    this.#init = init;
    this.ended = this.#finish();
  }

  stop(signal: SignalName, graceMs: number): void {
    if (this.#gone) return;
    if (signal === "SIGKILL" || graceMs <= 0) return this.#kill();
    try {
      pidfdSendSignal(this.#init.pidfd, signalNumber(signal));
    } catch (error) {
      // ESRCH: it has just ended by itself; `ended` is about to say so.
      if (!(error instanceof SyscallError && error.errnoName === "ESRCH")) throw error;
    }
    clearTimeout(this.#killTimer);
    this.#killTimer = setTimeout(() => this.#kill(), graceMs);
  }

  /** Kills the program's cgroup, not init: it stores how the program ended and what it had still to say. */
  #kill(): void {
    if (!this.#gone) this.#init.cgroup.kill();
  }

  usage(): Usage | undefined {
    return this.#gone ? undefined : this.#init.cgroup.liveUsage();
  }

  release(): Promise<boolean> {
    clearTimeout(this.#killTimer);
    return Promise.resolve(this.#gone);
  }

  async #finish(): Promise<RunEnd> {
    const { pidfd, cgroup, range } = this.#init;
    const init = await whenEnded(this.#parts.poller, pidfd);
    this.#gone = true;
    clearTimeout(this.#killTimer);
    closeFd(pidfd);
    const endedInOrder = init !== undefined && "code" in init && init.code === 0;
    const facts = readEndFacts(this.#parts, cgroup, this.#job, endedInOrder);
    await cgroup.remove();
    if (range) this.#parts.users.give({ range });
    return await readRunEnd(this.#parts, this.#job, facts);
  }
}
