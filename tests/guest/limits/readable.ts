/** Limits as they were asked for: in the job's record and in its cgroup. */
import assert from "node:assert/strict";
import { between, reason } from "../../probes/expect.ts";
import { sh } from "../../probes/probe.ts";
import { type LimitCheck, MIB, whileRunning } from "./check.ts";

const LIMITS = {
  cpuPercent: 150,
  cpuWeight: 300,
  memoryBytes: 100 * MIB,
  memoryHighBytes: 80 * MIB,
  pids: 50,
  ioReadBytesPerSecond: 5 * MIB,
  ioWriteBytesPerSecond: 6 * MIB,
  ioReadOpsPerSecond: 500,
  ioWriteOpsPerSecond: 600,
  diskBytes: 32 * MIB,
  diskInodes: 1000,
  openFiles: 2048,
} as const;

const FILES: Readonly<Record<string, string>> = {
  "cpu.max": "150000 100000",
  "cpu.weight": "300",
  "cpuset.cpus": "0",
  "memory.max": String(100 * MIB),
  "memory.high": String(80 * MIB),
  "memory.swap.max": "0",
  "memory.oom.group": "1",
  "pids.max": "50",
};

export const OTHER_CHECKS: readonly LimitCheck[] = [
  {
    name: "readable",
    title: "every limit in the job's record and in its cgroup",
    run: (lab) => {
      const command = sh("ulimit -n; df -B1 --output=size,itotal /work | tail -1; echo up; sleep 1000");
      return whileRunning(lab, [{ command, limits: { ...LIMITS, cpuCores: "0" } }], async ([live]) => {
        assert.deepEqual(lab.engine.get(live!.id).spec.limits, { ...LIMITS, cpuCores: [0] });
        for (const [file, value] of Object.entries(FILES)) assert.equal(live!.cgroup(file), value, file);
        assert.match(live!.cgroup("io.max"), /^\d+:\d+ rbps=5242880 wbps=6291456 riops=500 wiops=600$/);
        await lab.engine.stop(live!.id, { signal: "SIGKILL" });
        const { out } = await lab.finish(live!.id);
        assert.match(out, /^2048\n\s*33554432\s+100\d\nup\n$/);
        return `${Object.keys(LIMITS).length + 1} limits`;
      });
    },
  },
  {
    name: "pids",
    title: "a fork bomb stops at its limit",
    run: async (lab) => {
      const job = {
        command: ["bash", "-c", "f(){ f|f& };f;sleep 5"] as const,
        limits: { pids: 40 },
        timeoutMs: 4000,
      };
      let seen = 0;
      const { job: ended } = await lab.run({ ...job, command: [...job.command] }, {}, async (live) => {
        assert(await live.untilOutput("Resource temporarily unavailable", "stderr"), "it is refused");
        seen = Number(live.cgroup("pids.current"));
        return {};
      });
      between(seen, 20, 40, "processes");
      return `${seen} processes, ${JSON.stringify("detail" in ended.status ? ended.status.detail : "")}`;
    },
  },
  {
    name: "timeout",
    title: "a time limit of 1 s",
    run: async (lab) => {
      const result = await lab.run({ command: ["sleep", "1000"], timeoutMs: 1000 });
      assert.equal(reason(result), "timeout");
      const { startedAt, endedAt } = result.job.status as { startedAt: Date; endedAt: Date };
      const ms = endedAt.getTime() - startedAt.getTime();
      between(ms, 950, 1500, "milliseconds");
      return `${ms} ms`;
    },
  },
];
