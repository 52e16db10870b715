import { EngineError } from "../errors.ts";
import type { Limits } from "../jobs/spec.ts";
import { formatCoreList } from "../values/core_list.ts";

export type Controller = "cpu" | "memory" | "io" | "cpuset" | "pids";

/** One write into a job's cgroup folder. */
export interface LimitWrite {
  readonly file: string;
  readonly value: string;
  /** The file exists only on some kernels; without it there is nothing to limit (swap accounting is off). */
  readonly optional?: boolean;
}

/** Whole-disk device number, "254:0". */
export type DeviceNumber = string;

const CPU_PERIOD_US = 100_000;

/** The flag that asks for a controller, for messages. */
const FLAGS: Readonly<Record<Controller, string>> = {
  cpu: "--max-cpu",
  memory: "--max-memory",
  io: "--max-iobps",
  cpuset: "--cpu-cores",
  pids: "--max-pids",
};

/** Controllers that limits need. */
export function neededControllers(limits: Limits): Controller[] {
  const needed: Controller[] = [];
  if (limits.cpuPercent !== undefined) needed.push("cpu");
  if (limits.memoryBytes !== undefined) needed.push("memory");
  if (limits.ioBytesPerSecond !== undefined) needed.push("io");
  if (limits.cpuCores !== undefined) needed.push("cpuset");
  return needed;
}

/**
 * Refuses limits that this host can't enforce.
 * @param available controllers that job cgroups have
 * @throws {EngineError} kind "precondition", naming the controller and the cure
 */
export function requireControllers(limits: Limits, available: ReadonlySet<Controller>): void {
  for (const controller of neededControllers(limits)) {
    if (available.has(controller)) continue;
    throw new EngineError(
      "precondition",
      `Cannot enforce ${FLAGS[controller]}: the cgroup v2 controller '${controller}' is not available on this host. ` +
        `Boot it with cgroup_no_v1=all systemd.unified_cgroup_hierarchy=1 (and Delegate=yes for a systemd service), ` +
        `or run the job without ${FLAGS[controller]}`,
    );
  }
}

/** The writes that enforce limits. @param device disk for I/O limits, needed if there are any */
export function limitWrites(limits: Limits, device?: DeviceNumber): LimitWrite[] {
  const writes: LimitWrite[] = [];
  if (limits.cpuPercent !== undefined) {
    writes.push({ file: "cpu.max", value: `${limits.cpuPercent * (CPU_PERIOD_US / 100)} ${CPU_PERIOD_US}` });
  }
  if (limits.memoryBytes !== undefined) {
    writes.push({ file: "memory.max", value: String(limits.memoryBytes) });
    writes.push({ file: "memory.swap.max", value: "0", optional: true });
    // The job dies as a whole: a survivor would run on in a broken state.
    writes.push({ file: "memory.oom.group", value: "1" });
  }
  if (limits.ioBytesPerSecond !== undefined) {
    if (device === undefined) throw new TypeError("Cannot limit I/O without a device");
    const rate = limits.ioBytesPerSecond;
    writes.push({ file: "io.max", value: `${device} rbps=${rate} wbps=${rate}` });
  }
  if (limits.cpuCores !== undefined) writes.push({ file: "cpuset.cpus", value: formatCoreList(limits.cpuCores) });
  return writes;
}
