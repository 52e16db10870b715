import { EngineError } from "../errors.ts";
import type { DeviceNumber } from "./limits.ts";

/** Splits a device number as the kernel encodes it for user space (makedev(3)). */
export function deviceNumbers(dev: number): { readonly major: number; readonly minor: number } {
  const value = BigInt(dev);
  const major = ((value >> 8n) & 0xfffn) | ((value >> 32n) & ~0xfffn);
  const minor = (value & 0xffn) | ((value >> 12n) & ~0xffn & 0xffffffffn);
  return { major: Number(major), minor: Number(minor) };
}

/**
 * The whole disk below the file system of a path; io.max does not take partitions.
 * @param sysfs root of sysfs
 * @throws {EngineError} kind "precondition" if the file system is on no disk (tmpfs, overlay, network)
 */
export function wholeDiskOf(path: string, sysfs = "/sys"): DeviceNumber {
  const { major, minor } = deviceNumbers(Deno.statSync(path).dev);
  const folder = `${sysfs}/dev/block/${major}:${minor}`;
  const read = (file: string): string | undefined => {
    try {
      return Deno.readTextFileSync(file).trim();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  };
  if (major === 0 || read(`${folder}/dev`) === undefined) {
    throw new EngineError(
      "precondition",
      `Cannot enforce --max-iobps: '${path}' lies on no block device. Move JOBLET_HOME to a disk, or run the job without --max-iobps`,
    );
  }
  // A partition's folder holds the file "partition"; its parent is the disk.
  return read(`${folder}/partition`) === undefined ? `${major}:${minor}` : read(`${folder}/../dev`)!;
}
