/** What the processes of a cgroup use, from its files; those that the host does not have are left out. */
import type { Pressure, Usage } from "../jobs/job.ts";
import type { Controller } from "./limits.ts";

/** Text of a cgroup file; undefined if there is none. */
export type ReadFile = (file: string) => string | undefined;

/** What is used now and was used so far. */
export function readLiveUsage(read: ReadFile): Usage {
  const memoryBytes = numberIn(read("memory.current"));
  const pids = numberIn(read("pids.current"));
  return {
    ...readTotals(read),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(pids === undefined ? {} : { pids }),
    ...withPressure({
      cpu: parsePressure(read("cpu.pressure"), true),
      memory: parsePressure(read("memory.pressure"), true),
      io: parsePressure(read("io.pressure"), true),
    }),
  };
}

/** What was used in all. Every job's end waits for this: only files are read that the controllers make worth it. */
export function readEndUsage(read: ReadFile, controllers: ReadonlySet<Controller>): Usage {
  const of = (controller: Controller): ReadFile => (file) => controllers.has(controller) ? read(file) : undefined;
  const files: Readonly<Record<string, ReadFile>> = { memory: of("memory"), io: of("io"), pids: of("pids") };
  return {
    ...readTotals((file) => (files[file.slice(0, file.indexOf("."))] ?? read)(file)),
    ...withPressure({
      cpu: parsePressure(of("cpu")("cpu.pressure"), false),
      memory: parsePressure(of("memory")("memory.pressure"), false),
      io: parsePressure(of("io")("io.pressure"), false),
    }),
  };
}

function readTotals(read: ReadFile): Usage {
  const cpu = read("cpu.stat");
  const [userUs, systemUs] = [numberAfter(cpu, "user_usec"), numberAfter(cpu, "system_usec")];
  const memoryPeakBytes = numberIn(read("memory.peak"));
  const pidsPeak = numberIn(read("pids.peak"));
  return {
    ...(userUs === undefined ? {} : { cpuUserMs: userUs / 1000 }),
    ...(systemUs === undefined ? {} : { cpuSystemMs: systemUs / 1000 }),
    ...(memoryPeakBytes === undefined ? {} : { memoryPeakBytes }),
    ...(pidsPeak === undefined ? {} : { pidsPeak }),
    ...parseIoStat(read("io.stat")),
  };
}

/** Sums the lines of io.stat, "254:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0", over all disks. */
export function parseIoStat(text: string | undefined): Usage {
  if (text === undefined) return {};
  const sums: Record<string, number> = { rbytes: 0, wbytes: 0, rios: 0, wios: 0 };
  for (const [, name, number] of text.matchAll(/\b(\w+)=(\d+)/g)) {
    const sum = sums[name!];
    if (sum !== undefined) sums[name!] = sum + Number(number);
  }
  return {
    ioReadBytes: sums["rbytes"]!,
    ioWriteBytes: sums["wbytes"]!,
    ioReadOps: sums["rios"]!,
    ioWriteOps: sums["wios"]!,
  };
}

/** Reads "some avg10=1.50 avg60=... total=1234" and, where there is one, the line "full ...". */
export function parsePressure(text: string | undefined, live: boolean): Pressure | undefined {
  const [some, full] = [pressureLine(text, "some"), pressureLine(text, "full")];
  if (some === undefined) return undefined;
  return {
    someTotalUs: some.total,
    ...(full === undefined ? {} : { fullTotalUs: full.total }),
    ...(live ? { someAvg10: some.avg10 } : {}),
    ...(live && full !== undefined ? { fullAvg10: full.avg10 } : {}),
  };
}

function pressureLine(text: string | undefined, kind: "some" | "full") {
  const match = text?.match(new RegExp(`^${kind} avg10=([\\d.]+) .*total=(\\d+)$`, "m"));
  return match ? { avg10: Number(match[1]), total: Number(match[2]) } : undefined;
}

function withPressure(parts: { readonly [K in "cpu" | "memory" | "io"]: Pressure | undefined }): Usage {
  const known = Object.entries(parts).filter(([, pressure]) => pressure !== undefined);
  return known.length === 0 ? {} : { pressure: Object.fromEntries(known) };
}

/** The number behind a key, in files such as memory.events. */
export function numberAfter(text: string | undefined, key: string): number | undefined {
  const line = text?.split("\n").find((candidate) => candidate.startsWith(`${key} `));
  return line === undefined ? undefined : Number(line.slice(key.length + 1));
}

function numberIn(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
