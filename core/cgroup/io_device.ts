/** The disk that I/O limits are for, and which file takes weights for it. */
import { EngineError } from "../errors.ts";
import type { DeviceNumber } from "./limits.ts";

/** Most that bfq takes as a weight; io.cost takes 10000. */
const MAX_BFQ_WEIGHT = 1000;

/** Splits a device number as the kernel encodes it for user space (makedev(3)). */
export function deviceNumbers(dev: number): { readonly major: number; readonly minor: number } {
  const value = BigInt(dev);
  const major = ((value >> 8n) & 0xfffn) | ((value >> 32n) & ~0xfffn);
  const minor = (value & 0xffn) | ((value >> 12n) & ~0xffn & 0xffffffffn);
  return { major: Number(major), minor: Number(minor) };
}

/**
 * The whole disk below the file system of a path; io.max does not take partitions.
 * @param limit what asks for it, for messages
 * @param sysfs root of sysfs
 * @throws {EngineError} kind "precondition" if the file system is on no disk (tmpfs, overlay, network)
 */
export function wholeDiskOf(path: string, limit: string, sysfs = "/sys"): DeviceNumber {
  const { major, minor } = deviceNumbers(Deno.statSync(path).dev);
  const folder = `${sysfs}/dev/block/${major}:${minor}`;
  if (major === 0 || readOptional(`${folder}/dev`) === undefined) {
    throw new EngineError(
      "precondition",
      `Cannot enforce ${limit}: '${path}' lies on no block device. ` +
        `Move JOBLET_HOME to a disk, name a disk with --io-device, or run the job without ${limit}`,
    );
  }
  // A partition's folder holds the file "partition"; its parent is the disk.
  return readOptional(`${folder}/partition`) === undefined ? `${major}:${minor}` : readOptional(`${folder}/../dev`)!;
}

/**
 * The number of a disk that was named.
 * @param text a path such as /dev/sda, or a number such as "8:0"
 * @throws {EngineError} kind "invalid" if there is no such disk, or it is a part of one, which is then named
 */
export function namedDisk(text: string, sysfs = "/sys"): DeviceNumber {
  const refuse = (reason: string) => new EngineError("invalid", `Cannot use --io-device '${text}': ${reason}`);
  const number = text.startsWith("/") ? numberOf(text) : text;
  const folder = `${sysfs}/dev/block/${number}`;
  if (number === undefined || readOptional(`${folder}/dev`) === undefined) throw refuse("there is no such disk");
  if (readOptional(`${folder}/partition`) === undefined) return number;
  const disk = Deno.realPathSync(`${folder}/..`);
  throw refuse(
    `it is a partition; name the whole disk, /dev/${disk.replace(/^.*\//, "")} (${readOptional(`${disk}/dev`)})`,
  );
}

function numberOf(path: string): DeviceNumber | undefined {
  try {
    const { isBlockDevice, rdev } = Deno.statSync(path);
    if (!isBlockDevice || rdev === null) return undefined;
    const { major, minor } = deviceNumbers(rdev);
    return `${major}:${minor}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

/** Where weights are looked for. */
export interface WeightPlaces {
  /** Root of the cgroup v2 hierarchy. */
  readonly root: string;
  /** A cgroup below it that has the io controller. */
  readonly below: string;
  readonly sysfs?: string;
}

/**
 * The file that takes weights which have an effect on a disk: the kernel has io.weight also where nothing looks at it.
 * @throws {EngineError} kind "precondition" with the cure if there is none
 */
export function ioWeightFile(device: DeviceNumber, weight: number, places: WeightPlaces, limit: string): string {
  const { root, below, sysfs = "/sys" } = places;
  const costs = readOptional(`${root}/io.cost.qos`)?.split("\n") ?? [];
  const cost = costs.find((line) => line.startsWith(`${device} `));
  if (cost?.split(" ").includes("enable=1") && readOptional(`${below}/io.weight`) !== undefined) return "io.weight";
  const scheduler = readOptional(`${sysfs}/dev/block/${device}/queue/scheduler`) ?? "";
  if (scheduler.includes("[bfq]") && readOptional(`${below}/io.bfq.weight`) !== undefined) {
    if (weight <= MAX_BFQ_WEIGHT) return "io.bfq.weight";
    throw new EngineError(
      "precondition",
      `Cannot enforce ${limit} ${weight}: the scheduler bfq of disk ${device} takes weights from 1 to ${MAX_BFQ_WEIGHT}`,
    );
  }
  throw new EngineError(
    "precondition",
    `Cannot enforce ${limit}: nothing on this host looks at weights for disk ${device}. ` +
      `Switch on io.cost (echo '${device} enable=1' > ${root}/io.cost.qos) or the scheduler bfq ` +
      `(echo bfq > /sys/dev/block/${device}/queue/scheduler), or run the job without ${limit}`,
  );
}

/** undefined if there is no such file, or the kernel was built without it. */
function readOptional(file: string): string | undefined {
  try {
    return Deno.readTextFileSync(file).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
