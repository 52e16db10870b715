/** Limits from outside: each within the bounds that the kernel can hold. */
import { EngineError } from "../errors.ts";
import { parseCoreList } from "../values/core_list.ts";
import type { Limits, LimitsInput, NumericLimit } from "./spec.ts";

/** What a limit is called in messages, and what it may be. */
interface Rule {
  readonly name: string;
  readonly unit: string;
  readonly least: number;
  readonly most: number;
  readonly wanted: string;
}

const MIB = 1024 * 1024;
const MAX_CORES = 8192;
const MAX_PIDS = 4_194_304; // PID_MAX_LIMIT: the kernel refuses a larger pids.max
const MAX_OPS = 2 ** 32 - 2; // UINT_MAX stands for no limit in io.max
const MAX_OPEN_FILES = 1_048_576; // fs.nr_open, unless the host's administrator changes it

const size = (name: string): Rule => ({
  name,
  unit: " bytes",
  least: MIB,
  most: Number.MAX_SAFE_INTEGER,
  wanted: "at least 1 MiB",
});
const rate = (name: string): Rule => ({
  name,
  unit: " bytes per second",
  least: 1,
  most: Number.MAX_SAFE_INTEGER,
  wanted: "at least 1",
});
const count = (name: string, least: number, most: number): Rule => ({
  name,
  unit: "",
  least,
  most,
  wanted: `a whole number from ${least} to ${most}`,
});

const CPU: Rule = {
  name: "CPU limit",
  unit: "",
  least: 1,
  most: 100 * MAX_CORES,
  wanted: `a whole percentage of one core, at least 1 and at most ${100 * MAX_CORES}`,
};

/** All limits that are one number, in the order in which they are stored. */
const RULES: Readonly<Record<NumericLimit, Rule>> = {
  cpuPercent: CPU,
  memoryBytes: size("memory limit"),
  ioBytesPerSecond: rate("I/O limit"),
  cpuWeight: count("CPU weight", 1, 10_000),
  memoryHighBytes: size("soft memory limit"),
  pids: count("process limit", 1, MAX_PIDS),
  ioReadBytesPerSecond: rate("read limit"),
  ioWriteBytesPerSecond: rate("write limit"),
  ioReadOpsPerSecond: count("limit of reads per second", 1, MAX_OPS),
  ioWriteOpsPerSecond: count("limit of writes per second", 1, MAX_OPS),
  ioWeight: count("I/O weight", 1, 10_000),
  diskBytes: size("disk limit"),
  // The folders of a sandbox take some themselves.
  diskInodes: count("limit of files", 16, Number.MAX_SAFE_INTEGER),
  // Three streams, and what a dynamic loader opens.
  openFiles: count("limit of open files", 8, MAX_OPEN_FILES),
};

/** Names of the limits that are one number. */
export const NUMERIC_LIMITS = Object.keys(RULES) as readonly NumericLimit[];

const IO_LIMITS = [
  "ioBytesPerSecond",
  "ioReadBytesPerSecond",
  "ioWriteBytesPerSecond",
  "ioReadOpsPerSecond",
  "ioWriteOpsPerSecond",
  "ioWeight",
] as const satisfies readonly NumericLimit[];

function invalid(message: string): never {
  throw new EngineError("invalid", message);
}

/** Validates limits; what is absent stays absent. @throws {EngineError} kind "invalid", naming the limit and its bounds */
export function parseLimits(input: LimitsInput): Limits {
  const numbers: Partial<Record<NumericLimit, number>> = {};
  for (const key of NUMERIC_LIMITS) {
    const value = input[key];
    if (value !== undefined) numbers[key] = parseNumber(RULES[key], value);
  }
  const limits: Limits = {
    ...numbers,
    ...(input.cpuCores ? { cpuCores: parseCores(input.cpuCores) } : {}),
    ...(input.ioDevice ? { ioDevice: parseDevice(input.ioDevice) } : {}),
  };
  checkTogether(limits);
  return limits;
}

function parseNumber({ name, unit, least, most, wanted }: Rule, input: number | bigint): number {
  const value = Number(input);
  if (value > Number.MAX_SAFE_INTEGER) invalid(`Cannot use ${name} ${input}${unit}: it is too large`);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  return invalid(`Cannot use ${name} ${value}${unit}: it must be ${wanted}`);
}

function checkTogether(limits: Limits): void {
  const { memoryBytes, memoryHighBytes, ioDevice } = limits;
  if (memoryBytes !== undefined && memoryHighBytes !== undefined && memoryHighBytes >= memoryBytes) {
    const wanted = `it must be below the memory limit of ${memoryBytes} bytes, at which the job is killed`;
    invalid(`Cannot use soft memory limit ${memoryHighBytes} bytes: ${wanted}`);
  }
  if (ioDevice !== undefined && IO_LIMITS.every((key) => limits[key] === undefined)) {
    invalid(`Cannot use I/O device '${ioDevice}' without an I/O limit: give both`);
  }
}

function parseCores(text: string): number[] {
  try {
    return parseCoreList(text);
  } catch (error) {
    if (error instanceof RangeError) invalid(error.message);
    throw error;
  }
}

/** A device number or a path; whether it is a whole disk, the runner looks. */
function parseDevice(text: string): string {
  if (/^\d{1,4}:\d{1,7}$/.test(text) || /^\/dev\/[A-Za-z0-9._/+:@-]{1,250}$/.test(text)) return text;
  const shown = JSON.stringify(text.slice(0, 60));
  return invalid(`Cannot use I/O device ${shown}: it must be a path below /dev or a number such as 254:0`);
}
