import { ARCH } from "./arch.ts";
import { memoryFile } from "./fd.ts";
import { INIT } from "./native/blobs.gen.ts";

/** Fds that init (native/init.c) expects, and those its child finds. */
export const INIT_FDS = { journal: 3, status: 4, table: 5, cgroup: 6, stdin: 7, users: 8 } as const;
export const PROGRAM_FDS = { journal: 3, status: 4, stdin: 7, users: 8, stdout: 10, stderr: 12 } as const;

/** Bytes of what init writes to its status fd: u32 errno (0: the program was executed), u32 step. */
export const STATUS_BYTES = 8;

/** init's executable as a sealed anonymous file: nobody, not even a job that gets at it, can change it. @returns fd */
export function openInit(): number {
  return memoryFile("init", Uint8Array.fromBase64(INIT[ARCH]), true);
}
