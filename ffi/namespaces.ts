/**
 * Calls that change the calling thread's namespaces and mounts. Only for a worker or process made for it: the main
 * thread must keep the host's, and after unshare(CLONE_NEWPID) the runtime can't start threads any more.
 */
import { check, libc } from "./libc.ts";
import { cString } from "./memory.ts";

/** Gives the calling thread new namespaces. @param flags CLONE_NEW* @throws {SyscallError} */
export function unshare(flags: bigint): void {
  check("unshare", () => libc().unshare(Number(flags)), `0x${flags.toString(16)}`);
}

/** Moves the calling thread into the namespace behind an fd. @throws {SyscallError} */
export function setns(fd: number, type: bigint): void {
  check("setns", () => libc().setns(fd, Number(type)), `fd ${fd}`);
}

/** Changes the calling thread's root folder. @throws {SyscallError} */
export function chroot(path: string): void {
  const name = cString(path);
  check("chroot", () => libc().chroot(name), path);
}

/** mount(2). @throws {SyscallError} */
export function mount(source: string, target: string, type: string, flags: number, data = ""): void {
  const [from, to, kind, options] = [cString(source), cString(target), cString(type), cString(data)];
  check("mount", () => libc().mount(from, to, kind, BigInt(flags), options), target);
}
