/** Memory: the hard limit, the soft one, swap, and what is not counted. */
import assert from "node:assert/strict";
import { between, exitCode, reason, shown } from "../../probes/expect.ts";
import { cgroupRoot, type Lab } from "../../probes/lab.ts";
import { sh } from "../../probes/probe.ts";
import { within } from "../../probes/slow.ts";
import { type LimitCheck, MIB, whileRunning } from "./check.ts";

/** How often the out-of-memory killer has struck, by cgroup; the ended job's own is gone. */
function oomKills(): Record<string, string> {
  const found: Record<string, string> = {};
  const look = (folder: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      if (isDirectory) look(`${folder}/${name}`);
      if (name === "memory.events.local") {
        found[folder] = /^oom_kill (\d+)/m.exec(Deno.readTextFileSync(`${folder}/${name}`))![1]!;
      }
    }
  };
  look(cgroupRoot());
  return found;
}

function bomb(lab: Lab): Promise<string> {
  return whileRunning(lab, [{ command: sh("echo up; sleep 1000") }], async ([neighbour]) => {
    const before = oomKills();
    const result = await lab.run({ command: ["tail", "/dev/zero"], limits: { memoryBytes: 64 * MIB } });
    assert.equal(reason(result), "out_of_memory", shown(result));
    within(result.ms, 3000, "the bomb's death");
    assert.deepEqual(oomKills(), before);
    assert.equal(lab.engine.get(neighbour!.id).status.state, "running");
    return `dead after ${Math.round(result.ms)} ms`;
  });
}

/** Writes more than the soft limit to the disk: pages that are counted to the job and can be reclaimed. */
const FILL = {
  command: sh("dd if=/dev/zero of=x bs=1M count=60 2>/dev/null; echo up; sleep 1000"),
  work: "kept",
  limits: { memoryBytes: 128 * MIB, memoryHighBytes: 16 * MIB },
} as const;

export const MEMORY_CHECKS: readonly LimitCheck[] = [
  { name: "memory-max", title: "a memory bomb with 64 MiB, alone in its death", run: bomb },
  {
    name: "memory-launcher",
    title: "a job of 64 MiB starts true",
    run: async (lab) => {
      const result = await lab.run({ command: ["true"], limits: { memoryBytes: 64 * MIB } });
      assert.equal(exitCode(result), 0, shown(result));
      const { usage } = result.job.status as { usage?: { memoryPeakBytes?: number } };
      between(usage?.memoryPeakBytes ?? NaN, 1, 8 * MIB, "bytes at the peak");
      return `${(usage!.memoryPeakBytes! / MIB).toFixed(2)} MiB at the peak`;
    },
  },
  {
    name: "memory-high",
    title: "memory.high has a job's memory reclaimed",
    run: (lab) =>
      whileRunning(
        lab,
        [FILL],
        ([live]) => {
          const reclaims = Number(/^high (\d+)/m.exec(live!.cgroup("memory.events"))![1]);
          between(reclaims, 1, Infinity, "times above memory.high");
          const current = Number(live!.cgroup("memory.current"));
          between(current, 0, 20 * MIB, "bytes in use");
          return `${reclaims} times, ${(current / MIB).toFixed(1)} MiB in use`;
        },
      ),
  },
  {
    name: "swap",
    title: "no swap",
    run: (lab) =>
      whileRunning(lab, [{ command: sh("echo up; sleep 1000"), limits: { memoryBytes: 64 * MIB } }], ([live]) => {
        assert.equal(live!.cgroup("memory.swap.max"), "0");
        return "memory.swap.max 0";
      }),
  },
];
