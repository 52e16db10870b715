import { ARCH } from "./arch.ts";

/** Name to [x86-64 (asm/unistd_64.h), aarch64 (asm-generic/unistd.h)]. */
const NUMBERS = {
  write: [1, 64],
  openat: [257, 56],
  close: [3, 57],
  rt_sigprocmask: [14, 135],
  socket: [41, 198],
  ioctl: [16, 29],
  chdir: [80, 49],
  umask: [95, 166],
  setsid: [112, 157],
  setgroups: [116, 159],
  setresuid: [117, 147],
  setresgid: [119, 149],
  capset: [126, 91],
  pivot_root: [155, 41],
  prctl: [157, 167],
  mount: [165, 40],
  umount2: [166, 39],
  sethostname: [170, 161],
  mkdirat: [258, 34],
  mknodat: [259, 33],
  fchown: [93, 55],
  fchownat: [260, 54],
  keyctl: [250, 219],
  seccomp: [317, 277],
  openat2: [437, 437],
  landlock_create_ruleset: [444, 444],
  landlock_add_rule: [445, 445],
  landlock_restrict_self: [446, 446],
  symlinkat: [266, 36],
  unshare: [272, 97],
  dup3: [292, 24],
  prlimit64: [302, 261],
  setns: [308, 268],
  execveat: [322, 281],
  pidfd_send_signal: [424, 424],
  open_tree: [428, 428],
  move_mount: [429, 429],
  clone3: [435, 435],
  pidfd_open: [434, 434],
  close_range: [436, 436],
  mount_setattr: [442, 442],
  execve: [59, 221],
} as const satisfies Readonly<Record<string, readonly [number, number]>>;

export type SyscallName = keyof typeof NUMBERS;

/** All names, for a test against the kernel's headers. */
export const SYSCALL_NAMES = Object.keys(NUMBERS) as readonly SyscallName[];

/** Number of a system call on this architecture, or on the given one. */
export function syscallNumber(name: SyscallName, arch = ARCH): number {
  return NUMBERS[name][arch === "x86_64" ? 0 : 1];
}
