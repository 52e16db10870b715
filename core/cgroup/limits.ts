/** From limits to what is written into a cgroup's files. */
import { EngineError } from "../errors.ts";
import { LIMIT_FLAGS } from "../jobs/limit_policy.ts";
import type { Limits } from "../jobs/spec.ts";
import { formatCoreList } from "../values/core_list.ts";

export type Controller = "cpu" | "memory" | "io" | "cpuset" | "pids";

/** One write into a cgroup folder. What the kernel made of it is read again: see read_back.ts. */
export interface LimitWrite {
  readonly file: string;
  readonly value: string;
  /** The file exists only on some kernels; without it there is nothing to limit (swap accounting is off). */
  readonly optional?: boolean;
  /** File that tells what holds. @default the file itself */
  readonly readFile?: string;
}

/** Whole-disk device number, "254:0". */
export type DeviceNumber = string;

/** Where I/O limits go. */
export interface IoTarget {
  readonly device: DeviceNumber;
  /** File that takes weights; needed if there is one. */
  readonly weightFile?: string;
}

type Key = keyof Limits;

const CPU_PERIOD_US = 100_000;

/** What each limit needs; those that are not here need no controller. */
const NEEDS: { readonly [K in Key]?: Controller } = {
  cpuPercent: "cpu",
  cpuWeight: "cpu",
  cpuCores: "cpuset",
  memoryBytes: "memory",
  memoryHighBytes: "memory",
  pids: "pids",
  ioBytesPerSecond: "io",
  ioReadBytesPerSecond: "io",
  ioWriteBytesPerSecond: "io",
  ioReadOpsPerSecond: "io",
  ioWriteOpsPerSecond: "io",
  ioWeight: "io",
};

const KEYS = Object.keys(NEEDS) as Key[];

/** The flags of the limits that a controller enforces. */
export function flagsOf(controller: Controller): string[] {
  return KEYS.filter((key) => NEEDS[key] === controller).map((key) => LIMIT_FLAGS[key]);
}

/** Controllers that limits need, each once. */
export function neededControllers(limits: Limits): Controller[] {
  return [...new Set(KEYS.flatMap((key) => limits[key] === undefined ? [] : NEEDS[key] ?? []))];
}

/** The first of the limits that are for a disk; undefined if there is none. */
export function firstIoLimit(limits: Limits): Key | undefined {
  return KEYS.find((key) => NEEDS[key] === "io" && limits[key] !== undefined);
}

/** How a limit is called, and how to do without it. */
export interface LimitName {
  readonly name: string;
  readonly without: string;
}

/** A limit that the job's owner has asked for. */
export function asFlag(key: Key): LimitName {
  return { name: LIMIT_FLAGS[key], without: `run the job without ${LIMIT_FLAGS[key]}` };
}

/**
 * Refuses limits that this host can't enforce.
 * @param available controllers that job cgroups have
 * @throws {EngineError} kind "precondition", naming the limit, the controller and the cure
 */
export function requireControllers(
  limits: Limits,
  available: ReadonlySet<Controller>,
  nameOf: (key: Key) => LimitName = asFlag,
): void {
  for (const key of KEYS) {
    const controller = NEEDS[key];
    if (limits[key] === undefined || controller === undefined || available.has(controller)) continue;
    const { name, without } = nameOf(key);
    throw new EngineError(
      "precondition",
      `Cannot enforce ${name}: the cgroup v2 controller '${controller}' is not available on this host. ` +
        `Boot it with cgroup_no_v1=all systemd.unified_cgroup_hierarchy=1 (and Delegate=yes for a systemd service), ` +
        `or ${without}`,
    );
  }
}

/** The writes that enforce limits. @param io needed if a limit is for a disk */
export function limitWrites(limits: Limits, io?: IoTarget): LimitWrite[] {
  const writes: LimitWrite[] = [];
  const add = (file: string, value: string | number | undefined, more: Partial<LimitWrite> = {}) => {
    if (value !== undefined) writes.push({ file, value: String(value), ...more });
  };
  const { cpuPercent, memoryBytes, cpuCores } = limits;
  add("cpu.max", cpuPercent && `${cpuPercent * (CPU_PERIOD_US / 100)} ${CPU_PERIOD_US}`);
  add("cpu.weight", limits.cpuWeight);
  // What is asked for may be clipped to what the cgroups above have.
  add("cpuset.cpus", cpuCores && formatCoreList(cpuCores), { readFile: "cpuset.cpus.effective" });
  add("memory.high", limits.memoryHighBytes);
  if (memoryBytes !== undefined) {
    add("memory.max", memoryBytes);
    add("memory.swap.max", 0, { optional: true });
    writes.push(KILL_AS_ONE);
  }
  add("pids.max", limits.pids);
  if (firstIoLimit(limits) === undefined) return writes;
  if (io === undefined) throw new TypeError("Cannot limit I/O without a device");
  add("io.max", ioMax(limits, io.device));
  if (limits.ioWeight !== undefined) {
    if (io.weightFile === undefined) throw new TypeError("Cannot weigh I/O without a file for it");
    add(io.weightFile, `default ${limits.ioWeight}`);
  }
  return writes;
}

/** A job whose memory is too much dies as a whole: a survivor would run on in a broken state. */
export const KILL_AS_ONE: LimitWrite = { file: "memory.oom.group", value: "1" };

/** All rates of a device in one line; undefined if there are none. */
function ioMax(limits: Limits, device: DeviceNumber): string | undefined {
  const rates = {
    rbps: limits.ioReadBytesPerSecond ?? limits.ioBytesPerSecond,
    wbps: limits.ioWriteBytesPerSecond ?? limits.ioBytesPerSecond,
    riops: limits.ioReadOpsPerSecond,
    wiops: limits.ioWriteOpsPerSecond,
  };
  const given = Object.entries(rates).flatMap(([name, rate]) => rate === undefined ? [] : [`${name}=${rate}`]);
  return given.length === 0 ? undefined : [device, ...given].join(" ");
}
