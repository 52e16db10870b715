/** What a job uses, for people and for programs. */
import { formatBytes } from "../../core/values/bytes.ts";
import { formatDuration } from "../../core/values/duration.ts";
import type { Pressure, ResourceUsage } from "../../proto/gen/joblet/v1/job_pb.ts";
import { toMs, type WireDuration } from "./times.ts";

/** Every figure, null for those that were not measured; memory_bytes and pids only of jobs that run. */
export function usageJson(usage: ResourceUsage | undefined) {
  return {
    cpu_user_seconds: usage?.cpuUser ? toMs(usage.cpuUser) / 1000 : null,
    cpu_system_seconds: usage?.cpuSystem ? toMs(usage.cpuSystem) / 1000 : null,
    memory_bytes: number(usage?.memoryBytes),
    memory_peak_bytes: number(usage?.memoryPeakBytes),
    io_read_bytes: number(usage?.ioReadBytes),
    io_write_bytes: number(usage?.ioWriteBytes),
    io_read_ops: number(usage?.ioReadOps),
    io_write_ops: number(usage?.ioWriteOps),
    pids: number(usage?.pids),
    pids_peak: number(usage?.pidsPeak),
    cpu_pressure: pressureJson(usage?.cpuPressure),
    memory_pressure: pressureJson(usage?.memoryPressure),
    io_pressure: pressureJson(usage?.ioPressure),
  };
}

function number(value: bigint | undefined): number | null {
  return value === undefined ? null : Number(value);
}

function pressureJson(pressure: Pressure | undefined) {
  if (!pressure) return null;
  const { someAvg10, fullAvg10, someTotalUs, fullTotalUs } = pressure;
  return {
    some_avg10: someAvg10 ?? null,
    full_avg10: fullAvg10 ?? null,
    some_total_us: Number(someTotalUs),
    full_total_us: number(fullTotalUs),
  };
}

type Line = readonly [label: string, value: string | undefined];

/** Labelled lines; undefined for what was not measured. */
export function usageLines(usage: ResourceUsage | undefined): Line[] {
  if (!usage) return [];
  const { cpuUser, cpuSystem, memoryBytes, memoryPeakBytes, pids, pidsPeak } = usage;
  return [
    ["CPU time", cpuUser && cpuSystem && cpuText(cpuUser, cpuSystem)],
    ["Memory", memoryBytes === undefined ? undefined : formatBytes(memoryBytes)],
    ["Peak memory", memoryPeakBytes === undefined ? undefined : formatBytes(memoryPeakBytes)],
    ["Processes", pids === undefined ? undefined : String(pids)],
    ["Peak processes", pidsPeak === undefined ? undefined : String(pidsPeak)],
    ["Read", ioText(usage.ioReadBytes, usage.ioReadOps, "reads")],
    ["Written", ioText(usage.ioWriteBytes, usage.ioWriteOps, "writes")],
    ["Waited for CPU", pressureText(usage.cpuPressure)],
    ["Waited for memory", pressureText(usage.memoryPressure)],
    ["Waited for I/O", pressureText(usage.ioPressure)],
  ];
}

function cpuText(user: WireDuration, system: WireDuration): string {
  return `${formatDuration(toMs(user))} user, ${formatDuration(toMs(system))} system`;
}

function ioText(bytes: bigint | undefined, ops: bigint | undefined, unit: string): string | undefined {
  return bytes === undefined ? undefined : `${formatBytes(bytes)} in ${ops ?? 0n} ${unit}`;
}

/** "1.5s (some 12.5 %, all 3 % of the last 10s)" while it runs, then "1.5s"; nothing if it did not wait. */
function pressureText(pressure: Pressure | undefined): string | undefined {
  if (!pressure) return undefined;
  const { someAvg10, fullAvg10, someTotalUs } = pressure;
  if (someTotalUs === 0n && !someAvg10) return undefined;
  const all = fullAvg10 === undefined ? "" : `, all ${fullAvg10} %`;
  const lately = someAvg10 === undefined ? "" : ` (some ${someAvg10} %${all} of the last 10s)`;
  return `${formatDuration(Number(someTotalUs) / 1000)}${lately}`;
}
