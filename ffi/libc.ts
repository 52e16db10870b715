/**
 * The symbols of libc that are used, opened at first use. Every parameter stands with its C declaration.
 * Not for import outside this folder: callers use the wrappers, which turn -1 into SyscallError.
 */
import { retryable, SyscallError } from "./errno.ts";

const SYMBOLS = {
  __errno_location: { parameters: [], result: "pointer" },
  close: { parameters: ["i32" /* int fd */], result: "i32" },
  open: {
    parameters: ["buffer", /* const char *path */ "i32", /* int flags */ "u32" /* mode_t mode */],
    result: "i32",
  },
  read: { parameters: ["i32", /* int fd */ "buffer", /* void *buf */ "usize" /* size_t count */], result: "isize" },
  write: {
    parameters: ["i32", /* int fd */ "buffer", /* const void *buf */ "usize" /* size_t count */],
    result: "isize",
  },
  syncfs: { parameters: ["i32" /* int fd */], result: "i32", nonblocking: true },
  pipe2: { parameters: ["buffer", /* int fds[2] */ "i32" /* int flags */], result: "i32" },
  fcntl: { parameters: ["i32", /* int fd */ "i32", /* int cmd */ "i64" /* long arg */], result: "i32" },
  memfd_create: { parameters: ["buffer", /* const char *name */ "u32" /* unsigned flags */], result: "i32" },
  eventfd: { parameters: ["u32", /* unsigned initval */ "i32" /* int flags */], result: "i32" },
  epoll_create1: { parameters: ["i32" /* int flags */], result: "i32" },
  epoll_ctl: {
    parameters: ["i32", /* int epfd */ "i32", /* int op */ "i32", /* int fd */ "buffer" /* epoll_event * */],
    result: "i32",
  },
  epoll_wait: {
    parameters: ["i32", /* int epfd */ "buffer", /* epoll_event * */ "i32", /* int max */ "i32" /* int timeout_ms */],
    result: "i32",
    nonblocking: true,
  },
  inotify_init1: { parameters: ["i32" /* int flags */], result: "i32" },
  inotify_add_watch: {
    parameters: ["i32", /* int fd */ "buffer", /* const char *path */ "u32" /* uint32_t mask */],
    result: "i32",
  },
  inotify_rm_watch: { parameters: ["i32", /* int fd */ "i32" /* int wd */], result: "i32" },
  timerfd_create: { parameters: ["i32", /* int clockid */ "i32" /* int flags */], result: "i32" },
  timerfd_settime: {
    parameters: [
      "i32", /* int fd */
      "i32", /* int flags */
      "buffer", /* const struct itimerspec *new */
      "usize", /* struct itimerspec *old, 0 */
    ],
    result: "i32",
  },
  waitid: {
    parameters: ["i32", /* idtype_t */ "u32", /* id_t */ "buffer", /* siginfo_t * */ "i32" /* int options */],
    result: "i32",
  },
  prctl: {
    parameters: ["i32", /* int option */ "usize", "usize", "usize", "usize"],
    result: "i32",
  },
  unshare: { parameters: ["i32" /* int flags */], result: "i32" },
  setns: { parameters: ["i32", /* int fd */ "i32" /* int nstype */], result: "i32" },
  chroot: { parameters: ["buffer" /* const char *path */], result: "i32" },
  mount: {
    parameters: [
      "buffer", /* const char *source */
      "buffer", /* const char *target */
      "buffer", /* const char *type */
      "u64", /* unsigned long flags */
      "buffer", /* const void *data */
    ],
    result: "i32",
  },
  mmap: {
    parameters: [
      "pointer", /* void *addr */
      "usize", /* size_t length */
      "i32", /* int prot */
      "i32", /* int flags */
      "i32", /* int fd */
      "i64", /* off_t offset */
    ],
    result: "pointer",
  },
  mprotect: { parameters: ["pointer", /* void *addr */ "usize", /* size_t len */ "i32" /* int prot */], result: "i32" },
  syscall: {
    parameters: ["i64", /* long number */ "i64", "i64", "i64", "i64", "i64"],
    result: "i64",
  },
} as const satisfies Deno.ForeignLibraryInterface;

let library: Deno.DynamicLibrary<typeof SYMBOLS> | undefined;

/** The functions of libc. */
export function libc(): Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] {
  library ??= Deno.dlopen("libc.so.6", SYMBOLS);
  return library.symbols;
}

/**
 * errno of the call that has just failed on this thread. Right only at once after a blocking call: a `nonblocking` one
 * runs on another thread, and after a success errno holds junk.
 */
export function lastErrno(): number {
  const pointer = libc().__errno_location();
  if (pointer === null) throw new Error("Cannot read errno: libc gave no address");
  return new Deno.UnsafePointerView(pointer).getInt32();
}

/**
 * Makes a call until it is not interrupted. @returns its result
 * @throws {SyscallError} if the result is -1
 */
export function check(call: string, make: () => number | bigint, target?: string): number {
  for (;;) {
    const result = Number(make());
    if (result !== -1) return result;
    const errno = lastErrno();
    if (!retryable(errno)) throw new SyscallError(call, errno, target);
  }
}
