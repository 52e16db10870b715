/** What tests launch real sandboxes with: needs root and cgroup v2. */
import { closeFd, Poller } from "../../ffi/mod.ts";
import { findBase } from "../cgroup/base.ts";
import { CgroupTree } from "../cgroup/tree.ts";
import { defaultEngineConfig } from "../config.ts";
import { someSpec } from "../jobs/_job_fixture.ts";
import type { JobSpec } from "../jobs/spec.ts";
import { whenEnded } from "../run/when_ended.ts";
import { homeAt } from "../values/home.ts";
import { newJobId } from "../values/job_id.ts";
import type { FailedStep } from "./failure.ts";
import { initSteps, makePlan, type Plan, type PlanOptions } from "./plan.ts";
import { openSandbox, type Sandbox } from "./sandbox.ts";

/** A launcher with a home of its own. */
export class Lab implements AsyncDisposable {
  private constructor(
    readonly dir: string,
    readonly poller: Poller,
    readonly tree: CgroupTree,
    readonly sandbox: Sandbox,
  ) {}

  static async open(): Promise<Lab> {
    const dir = Deno.makeTempDirSync({ prefix: "joblet-launcher-" });
    const onError = (error: unknown) => {
      throw error;
    };
    const poller = new Poller(onError);
    const mountinfo = Deno.readTextFileSync("/proc/self/mountinfo");
    const name = dir.slice(dir.lastIndexOf("/") + 1);
    const tree = new CgroupTree(findBase(mountinfo, Deno.readTextFileSync("/proc/self/cgroup"), name), poller);
    const home = homeAt(dir);
    const config = { ...defaultEngineConfig(home), diskBytes: 1 << 24, stopGraceMs: 1000, logBytesPerRun: 0 };
    return new Lab(dir, poller, tree, await openSandbox(config, poller, tree, (_what, error) => onError(error)));
  }

  plan(
    command: string,
    args: readonly string[] = [],
    { secrets, ...fields }: Partial<JobSpec> & Pick<PlanOptions, "secrets"> = {},
  ): Plan {
    // The step that gives up the shield needs one.
    const host = { ...this.sandbox.host, shielded: true };
    return makePlan(someSpec({ command, args, env: {}, ...fields }), newJobId(), host, secrets ? { secrets } : {});
  }

  /** Runs a plan to its end. @returns the failed step, if any, and the journal's bytes as text */
  async run(plan: Plan, makeSteps = initSteps): Promise<{ failed: FailedStep | undefined; journal: string }> {
    const journalPath = `${this.dir}/${plan.jobId}`;
    await Deno.writeTextFile(journalPath, "");
    const failed = await this.runInto(journalPath, plan, makeSteps);
    return { failed, journal: new TextDecoder().decode(await Deno.readFile(journalPath)) };
  }

  /** The same with a journal that exists. */
  async runInto(journalPath: string, plan: Plan, makeSteps = initSteps): Promise<FailedStep | undefined> {
    const cgroup = this.tree.job(plan.jobId);
    cgroup.create([]);
    const cgroupFd = cgroup.open();
    const { users, launcher } = this.sandbox;
    const identity = await users.take();
    try {
      const { usersFd } = identity;
      const init = launcher.start({ plan, journalPath, cgroupFd, usersFd, makeSteps });
      const failed = await init.outcome;
      await whenEnded(this.poller, init.pidfd);
      closeFd(init.pidfd);
      return failed;
    } finally {
      closeFd(cgroupFd);
      await cgroup.remove();
      users.give(identity);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sandbox[Symbol.asyncDispose]();
    this.tree[Symbol.dispose]();
    await this.poller[Symbol.asyncDispose]();
    await Deno.remove(this.dir, { recursive: true });
  }
}
