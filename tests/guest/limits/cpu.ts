/** Processor time, shares of it, and which cores it comes from. */
import assert from "node:assert/strict";
import { between } from "../../probes/expect.ts";
import type { Lab, LiveJob } from "../../probes/lab.ts";
import { type ProbeJob, sh } from "../../probes/probe.ts";
import { type LimitCheck, whileRunning } from "./check.ts";

export const BUSY = sh("echo up; while :; do :; done");
const MEASURED_MS = 4000;

/** Processor time that the job has used, in milliseconds. */
const usedMs = (live: LiveJob) => Number(/^usage_usec (\d+)/m.exec(live.cgroup("cpu.stat"))![1]) / 1000;

/** Part of a core that each of the jobs uses, measured over the same time. */
export function shares(lab: Lab, jobs: readonly ProbeJob[]): Promise<number[]> {
  return whileRunning(lab, jobs, async (lives) => {
    const begun = performance.now();
    const before = lives.map(usedMs);
    // What is measured is time itself.
    await new Promise((resolve) => setTimeout(resolve, MEASURED_MS));
    const after = lives.map(usedMs);
    const elapsed = performance.now() - begun;
    return after.map((used, index) => (used - before[index]!) / elapsed);
  });
}

export const CPU_CHECKS: readonly LimitCheck[] = [
  {
    name: "cpu-percent",
    title: "a job capped at 50 % of a core",
    run: async (lab) => {
      const [share] = await shares(lab, [{ command: BUSY, limits: { cpuPercent: 50 } }]);
      between(share!, 0.45, 0.55, "share of a core");
      return `${(share! * 100).toFixed(1)} %`;
    },
  },
  {
    name: "cpu-weight",
    title: "weights 100 and 300 on one core",
    run: async (lab) => {
      const job = (cpuWeight: number): ProbeJob => ({
        command: BUSY,
        limits: { cpuWeight, cpuCores: "1", cpuPercent: 100 },
      });
      const [low, high] = await shares(lab, [job(100), job(300)]);
      between(high! / low!, 2.6, 3.4, "ratio of the shares");
      return `1 : ${(high! / low!).toFixed(2)}`;
    },
  },
  {
    name: "cpuset",
    title: "a job pinned to core 1",
    run: async (lab) => {
      const { out } = await lab.run({
        command: sh("nproc; grep Cpus_allowed_list /proc/self/status"),
        limits: { cpuCores: "1" },
      });
      assert.match(out, /^1\nCpus_allowed_list:\s+1\n$/);
      return out.trim().replaceAll(/\s+/g, " ");
    },
  },
];
