/** Writing limits into cgroup folders. */
import type { LimitWrite } from "./limits.ts";
import { holds } from "./read_back.ts";

/** A write into a cgroup folder that the kernel refused, or made something else of. */
export class CgroupWriteError extends Error {
  override readonly name = "CgroupWriteError";

  /**
   * @param where whose folder it is
   * @param found what holds instead, if the write itself went well
   */
  constructor({ file, value }: LimitWrite, where: string, found?: string, options?: ErrorOptions) {
    const instead = found === undefined ? "" : ` (the kernel made '${found}' of it)`;
    super(`write '${value}' to ${file} of ${where}${instead}`, options);
  }
}

/**
 * Writes limits into a cgroup folder and reads again what holds.
 * @param where whose folder it is, for messages
 * @throws {CgroupWriteError} at the first that does not hold
 */
export function applyLimits(folder: string, writes: readonly LimitWrite[], where: string): void {
  for (const write of writes) {
    const { file, value, optional, readFile = file } = write;
    let text: string;
    try {
      Deno.writeTextFileSync(`${folder}/${file}`, value, { create: false });
      text = Deno.readTextFileSync(`${folder}/${readFile}`);
    } catch (cause) {
      if (optional && cause instanceof Deno.errors.NotFound) continue;
      throw new CgroupWriteError(write, where, undefined, { cause });
    }
    if (!holds(write, text)) throw new CgroupWriteError(write, where, text.trim().replaceAll("\n", ", "));
  }
}

/** What the kernel starts with. */
const UNLIMITED: readonly LimitWrite[] = [
  { file: "cpu.max", value: "max 100000" },
  { file: "cpu.weight", value: "100" },
  { file: "memory.high", value: "max" },
  { file: "memory.max", value: "max" },
  { file: "memory.swap.max", value: "max" },
  { file: "pids.max", value: "max" },
  { file: "io.weight", value: "default 100" },
  { file: "io.bfq.weight", value: "default 100" },
];

/** Takes back every limit of a folder that is not among those that are to hold. @throws {CgroupWriteError} */
export function liftOtherLimits(folder: string, kept: readonly LimitWrite[], where: string): void {
  const others = UNLIMITED.filter(({ file }) => !kept.some((write) => write.file === file));
  for (const write of [...others, ...otherRates(folder, kept)]) {
    try {
      Deno.writeTextFileSync(`${folder}/${write.file}`, write.value, { create: false });
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) continue;
      throw new CgroupWriteError(write, where, undefined, { cause });
    }
  }
}

/** io.max holds rates by device: "254:0 rbps=1048576 wbps=max riops=max wiops=max". */
function otherRates(folder: string, kept: readonly LimitWrite[]): LimitWrite[] {
  const [device, ...rates] = kept.find(({ file }) => file === "io.max")?.value.split(" ") ?? [];
  const names = rates.map((rate) => rate.split("=")[0]);
  return readLines(`${folder}/io.max`).map((line) => {
    const [found, ...all] = line.split(" ");
    const stale = all.map((rate) => rate.split("=")[0]!).filter((name) => found !== device || !names.includes(name));
    return { file: "io.max", value: [found, ...stale.map((name) => `${name}=max`)].join(" ") };
  }).filter(({ value }) => value.includes(" "));
}

function readLines(file: string): string[] {
  try {
    return Deno.readTextFileSync(file).split("\n").filter((line) => line !== "");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
