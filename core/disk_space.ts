/** Keeps a reserve on the disks: what runs needs room for how it ends, so what is new is refused first. */
import { statfsSync, type StatsFs } from "node:fs";
import { EngineError } from "./errors.ts";

/** Of a small disk only this part is reserved. */
const SHARE = 0.05;
const FREE_FILES = 64;

/** What a file system says of itself; blocks of `bsize` bytes. */
export type DiskFacts = Pick<StatsFs, "bavail" | "bsize" | "blocks" | "files" | "ffree">;

/**
 * @param look tells about the disk of a folder @default asks the kernel
 * @throws {EngineError} kind "exhausted" if one of these folders is on a disk with less room than the reserve
 */
export function checkDiskSpace(
  folders: readonly string[],
  reservedBytes: number,
  look: (folder: string) => DiskFacts = (folder) => statfsSync(folder),
): void {
  for (const folder of folders) {
    const { bavail, bsize, blocks, files, ffree } = look(folder);
    const wanted = Math.min(reservedBytes, blocks * bsize * SHARE);
    if (bavail * bsize < wanted) {
      const free = `${Math.floor(bavail * bsize / 1024)} KiB are free where '${folder}' is`;
      throw new EngineError("exhausted", `Cannot take a new job: the disk is full, ${free}; free some`);
    }
    // A file system without a number of files says 0.
    if (files > 0 && ffree < FREE_FILES) {
      throw new EngineError("exhausted", `Cannot take a new job: the disk of '${folder}' can hold no more files`);
    }
  }
}
