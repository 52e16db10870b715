/**
 * Starts processes from this one without fork, which V8 does not survive: native code calls clone3 and the child walks
 * a LaunchTable (native/trampoline.c). The child shares this process's memory until its execve, so the table and the
 * stack must stay alive until then: keep the `Launched` until the child is known to have executed or ended.
 */
import { ARCH } from "./arch.ts";
import * as c from "./constants.ts";
import { SyscallError } from "./errno.ts";
import type { LaunchTable } from "./launch_table.ts";
import { lastErrno, libc } from "./libc.ts";
import { addressOf } from "./memory.ts";
import { TRAMPOLINE } from "./native/blobs.gen.ts";

/** Room to add to a LaunchTable that is launched: the child's stack and the structs of clone3. */
export const LAUNCH_EXTRA_BYTES = 8192;
const STACK_BYTES = 4096;
const CLONE_ARGS_BYTES = 88; // CLONE_ARGS_SIZE_VER2
/** Word index in struct clone_args (linux/sched.h). */
const ARGS = { flags: 0, pidfd: 1, exitSignal: 4, stack: 5, stackSize: 6, cgroup: 10 } as const;

const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;
const CODE_BYTES = 4096;

const SIGNATURE = { parameters: ["buffer", "usize", "buffer"], result: "i64" } as const;
let trampoline: Deno.UnsafeFnPointer<typeof SIGNATURE> | undefined;

/** Maps the code: writable first, then executable, never both. */
function mapTrampoline(): Deno.UnsafeFnPointer<typeof SIGNATURE> {
  const code = Uint8Array.fromBase64(TRAMPOLINE[ARCH]);
  const pages = libc().mmap(null, BigInt(CODE_BYTES), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0n);
  if (pages === null || Deno.UnsafePointer.value(pages) === -1n) throw new SyscallError("mmap", lastErrno());
  new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pages, CODE_BYTES)).set(code);
  if (libc().mprotect(pages, BigInt(CODE_BYTES), PROT_READ | PROT_EXEC) !== 0) {
    throw new SyscallError("mprotect", lastErrno(), "PROT_EXEC");
  }
  const entry = Deno.UnsafePointer.create<typeof SIGNATURE>(Deno.UnsafePointer.value(pages));
  if (entry === null) throw new Error("Cannot map the trampoline: mmap gave address 0");
  return new Deno.UnsafeFnPointer(entry, SIGNATURE);
}

/** A child between clone3 and execve. */
export interface Launched {
  readonly pid: number;
  /** To be closed by the caller. */
  readonly pidfd: number;
  readonly table: LaunchTable;
}

export interface LaunchOptions {
  /** CLONE_NEW* flags, and CLONE_FILES for a child that shares the fd table. */
  readonly namespaces: bigint;
  /** fd of the cgroup folder that the child is born in. */
  readonly cgroupFd: number;
}

/**
 * Starts a child that walks the table, which must have been made with LAUNCH_EXTRA_BYTES.
 * @throws {SyscallError} clone3 failed; there is no child
 */
export function launch(table: LaunchTable, options: LaunchOptions): Launched {
  trampoline ??= mapTrampoline();
  const base = addressOf(table.bytes);
  table.relocate(base);
  const view = new DataView(table.bytes.buffer);
  const stackAt = (table.tableBytes + 15) & ~15;
  const argsAt = stackAt + STACK_BYTES;
  const pidfdAt = argsAt + CLONE_ARGS_BYTES;
  const set = (word: number, value: bigint) => view.setBigUint64(argsAt + word * 8, value, true);
  set(ARGS.flags, options.namespaces | c.CLONE_VM | c.CLONE_PIDFD | c.CLONE_CLEAR_SIGHAND | c.CLONE_INTO_CGROUP);
  set(ARGS.pidfd, base + BigInt(pidfdAt));
  set(ARGS.exitSignal, 0n); // no SIGCHLD: the pidfd tells
  set(ARGS.stack, (base + BigInt(stackAt) + 15n) & ~15n);
  set(ARGS.stackSize, BigInt(STACK_BYTES - 16));
  set(ARGS.cgroup, BigInt(options.cgroupFd));
  const args = table.bytes.subarray(argsAt, argsAt + CLONE_ARGS_BYTES);
  const pid = Number(trampoline.call(args, BigInt(CLONE_ARGS_BYTES), table.bytes));
  if (pid < 0) throw new SyscallError("clone3", -pid);
  return { pid, pidfd: view.getInt32(pidfdAt, true), table };
}
