/** Flags of `run` that limit what a job takes of the host. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { parseBytes } from "../../core/values/bytes.ts";
import { parseCoreList } from "../../core/values/core_list.ts";
import { parseDuration } from "../../core/values/duration.ts";
import type { LimitsSchema } from "../../proto/gen/joblet/v1/job_pb.ts";
import { CliError } from "../errors.ts";

export interface LimitFlags {
  readonly maxCpu?: number;
  readonly cpuWeight?: number;
  readonly cpuCores?: string;
  readonly maxMemory?: bigint;
  readonly memoryHigh?: bigint;
  readonly maxPids?: number;
  readonly maxIobps?: bigint;
  readonly maxReadBps?: bigint;
  readonly maxWriteBps?: bigint;
  readonly maxReadIops?: number;
  readonly maxWriteIops?: number;
  readonly ioWeight?: number;
  readonly ioDevice?: string;
  readonly maxDisk?: bigint;
  readonly maxDiskInodes?: bigint;
  readonly maxOpenFiles?: number;
}

const MAX_UINT32 = 2 ** 32 - 1;

/** A parser of whole numbers from 1 on. Which of them are too many is the server's to say, where it is not plain. */
function count(flag: string, wanted = "a whole number, at least 1", most = MAX_UINT32) {
  return (text: string): number => {
    if (/^[1-9]\d{0,9}$/.test(text) && Number(text) <= most) return Number(text);
    throw new RangeError(`Cannot use ${flag} '${text}': it must be ${wanted}`);
  };
}

const weight = (flag: string) => count(flag, "a whole number from 1 to 10000", 10_000);

function parseCores(text: string): string {
  parseCoreList(text);
  return text;
}

const megabytes = (text: string) => parseBytes(text, { bareUnit: "M" });
const bytes = (text: string) => parseBytes(text);

function flag<T>(parse: (text: string) => T, placeholder: string, brief: string) {
  return { kind: "parsed", parse, brief, placeholder, optional: true } as const;
}

export const TIMEOUT_FLAG = flag(
  parseDuration,
  "TIME",
  "End the job after this time: 90s, 5m, 1h30m (default: never)",
);

export const LIMIT_FLAGS = {
  maxCpu: flag(
    count("--max-cpu", "a whole percentage of one core, at least 1"),
    "PERCENT",
    "CPU limit in percent of one core, may exceed 100",
  ),
  cpuWeight: flag(weight("--cpu-weight"), "N", "Share of CPU time among jobs that compete: 1 to 10000 (default: 100)"),
  cpuCores: flag(parseCores, "LIST", "Cores it may use: 0-1,3"),
  maxMemory: flag(megabytes, "SIZE", "Memory limit, beyond it the job is killed: 512M, 2G; a bare number is MB"),
  memoryHigh: flag(megabytes, "SIZE", "Memory beyond which the job is slowed: 400M; a bare number is MB"),
  maxPids: flag(count("--max-pids"), "N", "Processes and threads it may have at once"),
  maxIobps: flag(bytes, "SIZE", "Disk limit per second, reads and writes each: 10M; a bare number is bytes"),
  maxReadBps: flag(bytes, "SIZE", "Disk limit per second of reads alone"),
  maxWriteBps: flag(bytes, "SIZE", "Disk limit per second of writes alone"),
  maxReadIops: flag(count("--max-read-iops"), "N", "Reads per second"),
  maxWriteIops: flag(count("--max-write-iops"), "N", "Writes per second"),
  ioWeight: flag(weight("--io-weight"), "N", "Share of disk time among jobs that compete: 1 to 10000 (default: 100)"),
  ioDevice: flag(String, "DISK", "Whole disk that I/O limits are for: /dev/sda, 8:0 (default: the server's home's)"),
  maxDisk: flag(megabytes, "SIZE", "Room in /work, /tmp and /dev/shm together: 1G; a bare number is MB"),
  maxDiskInodes: flag(
    (text: string) => BigInt(count("--max-disk-inodes")(text)),
    "N",
    "Files and folders that fit into them",
  ),
  maxOpenFiles: flag(
    count("--max-open-files"),
    "N",
    "Open files of each process (default: 1024, to be raised to 4096)",
  ),
} as const;

type Wire = MessageInitShape<typeof LimitsSchema>;

/** The field that each flag is for. */
const FIELDS = {
  maxCpu: "cpuPercent",
  cpuWeight: "cpuWeight",
  cpuCores: "cpuCores",
  maxMemory: "memoryBytes",
  memoryHigh: "memoryHighBytes",
  maxPids: "pids",
  maxIobps: "ioBytesPerSecond",
  maxReadBps: "ioReadBytesPerSecond",
  maxWriteBps: "ioWriteBytesPerSecond",
  maxReadIops: "ioReadOpsPerSecond",
  maxWriteIops: "ioWriteOpsPerSecond",
  ioWeight: "ioWeight",
  ioDevice: "ioDevice",
  maxDisk: "diskBytes",
  maxDiskInodes: "diskInodes",
  maxOpenFiles: "openFiles",
} as const satisfies Record<keyof LimitFlags, keyof Wire>;

/** The limits that the flags ask for. @throws {CliError} a device without a limit for it */
export function toLimits(flags: LimitFlags): Wire {
  const { ioDevice, maxIobps, maxReadBps, maxWriteBps, maxReadIops, maxWriteIops, ioWeight } = flags;
  const limits = [maxIobps, maxReadBps, maxWriteBps, maxReadIops, maxWriteIops, ioWeight];
  if (ioDevice !== undefined && limits.every((limit) => limit === undefined)) {
    throw new CliError("Cannot use --io-device without an I/O limit: give both", 2);
  }
  const names = Object.keys(FIELDS) as (keyof LimitFlags)[];
  const given = names.filter((name) => flags[name] !== undefined);
  return Object.fromEntries(given.map((name) => [FIELDS[name], flags[name]])) as Wire;
}
