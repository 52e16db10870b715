import * as c from "./constants.ts";
import { check, libc } from "./libc.ts";
import { cString } from "./memory.ts";

/** Opens a file; always close-on-exec. @returns the fd, to be closed with `closeFd` @throws {SyscallError} */
export function openFd(path: string, flags: number, mode = 0): number {
  const name = cString(path);
  return check("open", () => libc().open(name, flags | c.O_CLOEXEC, mode), path);
}

/** Closes an fd. Linux frees the number even when it reports EINTR, so the call is never repeated. */
export function closeFd(fd: number): void {
  libc().close(fd);
}

/** Reads what is there, up to the buffer's size. @returns bytes read, 0 at the end @throws {SyscallError} */
export function readFd(fd: number, buffer: Uint8Array<ArrayBuffer>): number {
  return check("read", () => libc().read(fd, buffer, BigInt(buffer.length)), `fd ${fd}`);
}

/** Writes all bytes. @throws {SyscallError} */
export function writeFd(fd: number, bytes: Uint8Array<ArrayBuffer>): void {
  for (let at = 0; at < bytes.length;) {
    const rest = bytes.subarray(at);
    at += check("write", () => libc().write(fd, rest, BigInt(rest.length)), `fd ${fd}`);
  }
}

/** A close-on-exec pipe. @throws {SyscallError} */
export function pipe(): { readonly readEnd: number; readonly writeEnd: number } {
  const ends = new Int32Array(2);
  check("pipe2", () => libc().pipe2(new Uint8Array(ends.buffer), c.O_CLOEXEC));
  return { readEnd: ends[0]!, writeEnd: ends[1]! };
}

/** A copy of the fd with a number of at least `lowest`, close-on-exec. @throws {SyscallError} */
export function duplicateFd(fd: number, lowest: number): number {
  return check("fcntl F_DUPFD_CLOEXEC", () => libc().fcntl(fd, c.F_DUPFD_CLOEXEC, BigInt(lowest)), `fd ${fd}`);
}

/** An anonymous file with these bytes, close-on-exec; `sealed`: nobody can change it any more. @throws {SyscallError} */
export function memoryFile(name: string, bytes: Uint8Array<ArrayBuffer>, sealed = false): number {
  const label = cString(name);
  const fd = check("memfd_create", () => libc().memfd_create(label, c.MFD_CLOEXEC | c.MFD_ALLOW_SEALING), name);
  try {
    writeFd(fd, bytes);
    if (sealed) check("fcntl F_ADD_SEALS", () => libc().fcntl(fd, c.F_ADD_SEALS, BigInt(c.F_SEAL_ALL)), name);
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/**
 * Writes all that is in memory of the file system behind an fd to its disk, in another thread. @throws {Error} without an
 * errno, which is lost with that thread
 */
export async function syncFileSystem(fd: number): Promise<void> {
  if (await libc().syncfs(fd) !== 0) throw new Error("Cannot write a file system to its disk: syncfs failed");
}
