import { wholeDiskOf } from "../cgroup/io_device.ts";
import { requireControllers } from "../cgroup/limits.ts";
import { EngineError } from "../errors.ts";
import type { PlanLine } from "../jobs/engine.ts";
import type { Job } from "../jobs/job.ts";
import type { RunEnd } from "../jobs/outcome.ts";
import type { Run, Runner, StartResult } from "../jobs/runner.ts";
import type { JobSpec } from "../jobs/spec.ts";
import type { JobStore } from "../state/store.ts";
import { newJobId } from "../values/job_id.ts";
import { findInits } from "./inits.ts";
import type { RunParts } from "./parts.ts";
import { describePlan } from "./plan_lines.ts";
import { readRunEnd, toRunEnd } from "./run_end.ts";
import { SandboxedRun } from "./sandboxed_run.ts";
import { startRun } from "./start.ts";

/** Runs jobs in sandboxes of namespaces and cgroups on this host. */
export class SandboxRunner implements Runner {
  readonly #parts: RunParts;
  readonly #store: Pick<JobStore, "get">;

  /** @param store tells what an adopted init runs */
  constructor(parts: RunParts, store: Pick<JobStore, "get">) {
    this.#parts = parts;
    this.#store = store;
  }

  check(spec: JobSpec): void {
    requireControllers(spec.limits, this.#parts.tree.controllers);
    if (spec.limits.ioBytesPerSecond !== undefined) wholeDiskOf(this.#parts.diskFolder);
  }

  plan(spec: JobSpec): readonly PlanLine[] {
    return describePlan(this.#parts, spec, newJobId());
  }

  async start(job: Job): Promise<StartResult> {
    const result = await startRun(this.#parts, job);
    return "init" in result ? { run: new SandboxedRun(this.#parts, job, result.init) } : result;
  }

  async adopt(): Promise<ReadonlyMap<string, Run>> {
    const { tree, poller } = this.#parts;
    const runs = new Map<string, Run>();
    for (const [id, init] of await findInits(() => tree.initPids(), poller)) {
      // Of a job that is not stored nothing is asked but its end.
      const { spec, attempt } = this.#store.get(id) ?? { spec: UNKNOWN_SPEC, attempt: 1 };
      runs.set(id, new SandboxedRun(this.#parts, { id, spec, attempt }, { ...init, cgroup: tree.job(id) }));
    }
    return runs;
  }

  async lookBack(job: Job): Promise<RunEnd | undefined> {
    const cgroup = this.#parts.tree.job(job.id);
    const facts = { oomKilled: cgroup.oomKills() > 0, memoryPeakBytes: cgroup.memoryPeak(), endedInOrder: false };
    await cgroup.remove();
    const run = { id: job.id, attempt: job.attempt };
    if (!this.#parts.logs.exists(run)) return undefined;
    if (job.status.state !== "initializing") return await readRunEnd(this.#parts, job, facts);
    const outcome = await this.#readHalfMade(job);
    if (outcome === undefined || (outcome.kind === "open" && !outcome.started)) {
      // The attempt begins anew, with output of its own.
      await this.#parts.logs.removeRun(run);
      return undefined;
    }
    return toRunEnd(this.#parts, job, outcome, facts);
  }

  /** What the journal of a start that was cut short says; undefined if it was not even made whole. */
  async #readHalfMade({ id, attempt }: Job) {
    try {
      return await this.#parts.logs.outcome({ id, attempt });
    } catch (error) {
      if (error instanceof EngineError && error.kind === "precondition") return undefined;
      throw error;
    }
  }

  async removeLeftovers(keep: ReadonlySet<string>): Promise<void> {
    const { tree } = this.#parts;
    await Promise.all(
      tree.jobIds().filter((id) => !keep.has(id)).map(async (id) => {
        const cgroup = tree.job(id);
        cgroup.kill();
        await cgroup.remove();
      }),
    );
  }
}

const UNKNOWN_SPEC: JobSpec = {
  command: "",
  args: [],
  name: "",
  env: {},
  workdir: "/",
  network: "none",
  limits: {},
  labels: {},
  priority: 0,
};
