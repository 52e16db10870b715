/** Limits for people and for programs. */
import { formatBytes } from "../../core/values/bytes.ts";
import type { Limits } from "../../proto/gen/joblet/v1/job_pb.ts";

type Key = Exclude<keyof Limits, `$${string}`>;
type Form = "percent" | "size" | "rate" | "plain" | "per second";

/** Each limit: what it is called, its key in JSON, and how it is shown; in the order in which they are shown. */
const LIMITS: Readonly<Record<Key, readonly [label: string, json: string, form: Form]>> = {
  cpuPercent: ["CPU limit", "max_cpu", "percent"],
  cpuWeight: ["CPU weight", "cpu_weight", "plain"],
  cpuCores: ["CPU cores", "cpu_cores", "plain"],
  memoryBytes: ["Memory limit", "max_memory", "size"],
  memoryHighBytes: ["Soft memory limit", "memory_high", "size"],
  pids: ["Process limit", "max_pids", "plain"],
  ioBytesPerSecond: ["I/O limit", "max_iobps", "rate"],
  ioReadBytesPerSecond: ["Read limit", "max_read_bps", "rate"],
  ioWriteBytesPerSecond: ["Write limit", "max_write_bps", "rate"],
  ioReadOpsPerSecond: ["Reads limit", "max_read_iops", "per second"],
  ioWriteOpsPerSecond: ["Writes limit", "max_write_iops", "per second"],
  ioWeight: ["I/O weight", "io_weight", "plain"],
  ioDevice: ["I/O device", "io_device", "plain"],
  diskBytes: ["Disk limit", "max_disk", "size"],
  diskInodes: ["Files limit", "max_disk_inodes", "plain"],
  openFiles: ["Open files limit", "max_open_files", "plain"],
};

const KEYS = Object.keys(LIMITS) as Key[];

/** Every limit under the name of its flag, sizes in bytes; null for those that are not set. */
export function limitsJson(limits: Limits | undefined): Record<string, number | string | null> {
  return Object.fromEntries(KEYS.map((key) => {
    const value = limits?.[key];
    const plain = typeof value === "bigint" ? Number(value) : value;
    return [LIMITS[key][1], plain === undefined || plain === "" ? null : plain];
  }));
}

/** Labelled lines of the limits that are set. */
export function limitLines(limits: Limits | undefined): [string, string][] {
  return KEYS.flatMap((key): [string, string][] => {
    const value = limits?.[key];
    const [label, , form] = LIMITS[key];
    return value === undefined || value === "" ? [] : [[label, limitText(value, form)]];
  });
}

function limitText(value: number | bigint | string, form: Form): string {
  if (typeof value === "string") return value;
  switch (form) {
    case "percent":
      return `${value} % of a core`;
    case "size":
      return formatBytes(value);
    case "rate":
      return `${formatBytes(value)}/s`;
    case "per second":
      return `${value}/s`;
    case "plain":
      return String(value);
  }
}
