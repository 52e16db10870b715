/** What tests launch real sandboxes with: needs root and cgroup v2. */
import { closeFd, Poller } from "../../ffi/mod.ts";
import { CgroupTree, findBase } from "../cgroup/tree.ts";
import { someSpec } from "../jobs/_job_fixture.ts";
import type { JobSpec } from "../jobs/spec.ts";
import { whenEnded } from "../run/when_ended.ts";
import { newJobId } from "../values/job_id.ts";
import { prepareEtc } from "./etc_template.ts";
import type { FailedStep } from "./failure.ts";
import { Launcher } from "./launcher.ts";
import { type HostOptions, initSteps, makePlan, type Plan } from "./plan.ts";
import { hostRootEntries } from "./rootfs.ts";

/** A launcher with a home of its own. */
export class Lab implements AsyncDisposable {
  readonly dir = Deno.makeTempDirSync({ prefix: "joblet-launcher-" });
  readonly poller = new Poller((error) => {
    throw error;
  });
  readonly tree: CgroupTree;
  readonly launcher: Launcher;
  readonly host: HostOptions;

  constructor() {
    const mountinfo = Deno.readTextFileSync("/proc/self/mountinfo");
    const name = this.dir.slice(this.dir.lastIndexOf("/") + 1);
    this.tree = new CgroupTree(findBase(mountinfo, Deno.readTextFileSync("/proc/self/cgroup"), name), this.poller);
    this.launcher = new Launcher(this.poller, this.tree.initsFd, (error) => {
      throw error;
    });
    const [mountPoint, etc, uid, gid] = [`${this.dir}/root`, `${this.dir}/etc`, 1_000_000_000, 1_000_000_000];
    Deno.mkdirSync(mountPoint);
    prepareEtc(etc, { uid, gid });
    const entries = hostRootEntries();
    const sizes = { workBytes: 1 << 24, tmpBytes: 1 << 24 };
    this.host = {
      mountPoint,
      etc,
      uid,
      gid,
      entries,
      ...sizes,
      lastCapability: 40,
      shielded: true,
      graceMs: 1000,
      logBytes: 0,
    };
  }

  plan(command: string, args: readonly string[] = [], fields: Partial<JobSpec> = {}): Plan {
    return makePlan(someSpec({ command, args, env: {}, ...fields }), newJobId(), this.host);
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
    try {
      const init = this.launcher.start({ plan, journalPath, cgroupFd, makeSteps });
      const failed = await init.outcome;
      await whenEnded(this.poller, init.pidfd);
      closeFd(init.pidfd);
      return failed;
    } finally {
      closeFd(cgroupFd);
      await cgroup.remove();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.launcher[Symbol.asyncDispose]();
    this.tree[Symbol.dispose]();
    await this.poller[Symbol.asyncDispose]();
    await Deno.remove(this.dir, { recursive: true });
  }
}
