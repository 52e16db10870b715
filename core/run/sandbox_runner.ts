import { EngineError } from "../errors.ts";
import type { PlanLine } from "../jobs/engine.ts";
import type { Job } from "../jobs/job.ts";
import type { RunEnd } from "../jobs/outcome.ts";
import type { Run, Runner, StartResult } from "../jobs/runner.ts";
import type { PlainSecrets } from "../jobs/secrets.ts";
import type { JobSpec, Limits } from "../jobs/spec.ts";
import type { JobStore } from "../state/store.ts";
import { rangeOfInit } from "../sandbox/id_ranges.ts";
import { profileOf } from "../sandbox/plan.ts";
import { newJobId } from "../values/job_id.ts";
import { readEndFacts } from "./end_facts.ts";
import { checkLimits, supportsLimits } from "./host_limits.ts";
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

  supports(limits: Limits): boolean {
    return supportsLimits(this.#parts, limits);
  }

  check(spec: JobSpec, owner: string, asked: Limits): void {
    checkLimits(this.#parts, spec.limits, asked, owner);
    if (profileOf(spec, this.#parts.host).strict && spec.network === "host") {
      throw new EngineError(
        "invalid",
        `Cannot use --network host with profile '${spec.profile}': it allows no network`,
      );
    }
    if (spec.work === "kept" && asked.diskBytes !== undefined) {
      const reason = "/work lies on the host's disk then, where nothing bounds it";
      throw new EngineError("precondition", `Cannot enforce --max-disk with --work kept: ${reason}`);
    }
  }

  plan(spec: JobSpec, owner: string, secrets: PlainSecrets): readonly PlanLine[] {
    return describePlan(this.#parts, { id: newJobId(), owner, spec, secrets });
  }

  async start(job: Job): Promise<StartResult> {
    const result = await startRun(this.#parts, job);
    return "init" in result ? { run: new SandboxedRun(this.#parts, job, result.init) } : result;
  }

  async adopt(): Promise<ReadonlyMap<string, Run>> {
    const { tree, poller } = this.#parts;
    const runs = new Map<string, Run>();
    const cgroups = tree.jobs();
    for (const [id, { pid, pidfd, ownId }] of await findInits(() => tree.initPids(), poller)) {
      const range = rangeOfInit(ownId);
      if (range) this.#parts.ranges.adopt(range.index);
      // Of a job that is not stored nothing is asked but its end.
      const { spec, attempt, owner } = this.#store.get(id) ?? { spec: UNKNOWN_SPEC, attempt: 1, owner: "" };
      const cgroup = cgroups.get(id) ?? tree.job(id, owner);
      runs.set(id, new SandboxedRun(this.#parts, { id, owner, spec, attempt }, { pid, pidfd, range, cgroup }));
    }
    return runs;
  }

  async lookBack(job: Job): Promise<RunEnd | undefined> {
    const cgroup = this.#parts.tree.find(job.id, job.owner);
    const facts = readEndFacts(this.#parts, cgroup, job, false);
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

  async discard(id: string): Promise<void> {
    await this.#parts.work.remove(id);
  }

  async removeLeftovers(keep: ReadonlySet<string>): Promise<void> {
    const { tree, work } = this.#parts;
    const orphans = [...work.ids].filter((id) => this.#store.get(id) === undefined);
    await Promise.all(orphans.map((id) => work.remove(id)));
    await Promise.all(
      [...tree.jobs()].filter(([id]) => !keep.has(id)).map(async ([, cgroup]) => {
        cgroup.kill();
        await cgroup.remove();
      }),
    );
    tree.takeOverJobs();
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
