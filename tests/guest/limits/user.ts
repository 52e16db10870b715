/** What holds for all jobs of one user together. */
import assert from "node:assert/strict";
import { between } from "../../probes/expect.ts";
import { cgroupOf } from "../../probes/lab.ts";
import { python, sh } from "../../probes/probe.ts";
import { type LimitCheck, whileRunning } from "./check.ts";
import { BUSY, shares } from "./cpu.ts";

/** The lab's limits of the user "capped". */
export const CAPPED = { cpuPercent: 50, pids: 30 } as const;

/** Forks until it is refused, and keeps what it has. */
const FORK = python(`
import os, time
n = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(1000)
        n += 1
except OSError:
    print(n, "up", flush=True)
time.sleep(1000)`);

export const USER_CHECKS: readonly LimitCheck[] = [
  {
    name: "user-level",
    title: "a user's jobs lie in a cgroup of the user's",
    run: (lab) => {
      const job = { command: sh("echo up; sleep 1000") };
      const jobs = [{ ...job, owner: "ann" }, { ...job, owner: "ann" }, { ...job, owner: "ben" }];
      return whileRunning(lab, jobs, (lives) => {
        const parents = lives.map(({ id }) => cgroupOf(id).replace(/\/job-[^/]*$/, ""));
        assert.equal(parents[0], parents[1]);
        assert.notEqual(parents[0], parents[2]);
        const usage = (text: string) => Number(/^usage_usec (\d+)/m.exec(text)![1]);
        // The sum is read last: it only grows.
        const each = lives.slice(0, 2).map(({ cgroup }) => usage(cgroup("cpu.stat")));
        const used = usage(Deno.readTextFileSync(`${parents[0]}/cpu.stat`));
        assert(used >= each[0]! + each[1]!, "the user's usage is that of the jobs together");
        return parents.map((path) => path.slice(path.lastIndexOf("/") + 1)).join(" ");
      });
    },
  },
  {
    name: "user-cpu",
    title: "two jobs of a user who has 50 % of a core in all",
    run: async (lab) => {
      const job = { command: BUSY, owner: "capped" };
      const used = await shares(lab, [job, job]);
      between(used[0]! + used[1]!, 0.45, 0.55, "share of a core");
      return used.map((share) => `${(share * 100).toFixed(1)} %`).join(" + ");
    },
  },
  {
    name: "user-pids",
    title: "two jobs of a user who has 30 processes in all",
    run: (lab) => {
      const job = { command: FORK, owner: "capped" };
      return whileRunning(lab, [job, { ...job, command: sh("echo up; sleep 1000") }].reverse(), (lives) => {
        const counts = lives.map(({ cgroup }) => Number(cgroup("pids.current")));
        between(counts[0]! + counts[1]!, CAPPED.pids, CAPPED.pids, "processes");
        return counts.join(" + ");
      });
    },
  },
];
