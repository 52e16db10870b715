/** What holds for all jobs together, and where a job is killed for its memory. */
import assert from "node:assert/strict";
import { between, reason, shown } from "../../probes/expect.ts";
import { cgroupOf, Lab, type LabOptions } from "../../probes/lab.ts";
import { sh } from "../../probes/probe.ts";
import { type LimitCheck, MIB, whileRunning } from "./check.ts";
import { BUSY, shares } from "./cpu.ts";

const ALL = { cpuPercent: 50, memoryBytes: 128 * MIB, pids: 100 };

/** An engine of its own, on the guest's disk. */
async function withServer<T>(config: NonNullable<LabOptions["config"]>, act: (lab: Lab) => Promise<T>) {
  const home = await Deno.makeTempDir({ dir: "/disk" });
  await using lab = await Lab.open({ home, limits: true, config });
  return await act(lab);
}

export const TOGETHER_CHECKS: readonly LimitCheck[] = [
  {
    name: "all-limits",
    title: "jobs of two users, who have 50 % of a core and 128 MiB in all",
    run: () =>
      withServer({ sharedLimits: { all: ALL, user: {}, users: new Map() } }, async (lab) => {
        const used = await shares(lab, [{ command: BUSY, owner: "ann" }, { command: BUSY, owner: "ben" }]);
        between(used[0]! + used[1]!, 0.45, 0.55, "share of a core");
        const share = `${(100 * (used[0]! + used[1]!)).toFixed(1)} % of a core`;
        return await whileRunning(lab, [{ command: sh("echo up; sleep 1000"), owner: "ann" }], async ([neighbour]) => {
          const all = cgroupOf(neighbour!.id).replace(/\/user-[^/]*\/job-[^/]*$/, "");
          const read = (file: string) => Deno.readTextFileSync(`${all}/${file}`).trim();
          assert.deepEqual(["memory.max", "pids.max"].map(read), [String(ALL.memoryBytes), String(ALL.pids)]);
          const result = await lab.run({ command: ["tail", "/dev/zero"], owner: "ben" });
          assert.equal(reason(result), "out_of_memory", shown(result));
          assert.match(shown(result), /all jobs reached their limit of 128 MiB of memory together/);
          assert.equal(lab.engine.get(neighbour!.id).status.state, "running");
          return `${share}, the bomb dead after ${Math.round(result.ms)} ms, its neighbour not`;
        });
      }),
  },
  {
    name: "memory-percent",
    title: "a server that kills at 150 % of what was asked for",
    run: () =>
      withServer({ memoryMaxPercent: 150 }, (lab) => {
        const job = { command: sh("echo up; sleep 1000"), limits: { memoryBytes: 64 * MIB } };
        return whileRunning(lab, [job], ([live]) => {
          const [high, max] = ["memory.high", "memory.max"].map((file) => Number(live!.cgroup(file)) / MIB);
          assert.deepEqual([high, max], [64, 96]);
          return `memory.high ${high} MiB, memory.max ${max} MiB`;
        });
      }),
  },
];
