import { NUMBERS } from "./numbers.ts";

/** The architectures that filters are made for, under the kernel's names. */
export type Arch = "x86_64" | "aarch64";

/** Since Linux 5.1 a new call has the same number everywhere; these follow each other from 424, up to Linux 6.18. */
const FIRST_COMMON = 424;
const COMMON = [
  "pidfd_send_signal",
  "io_uring_setup",
  "io_uring_enter",
  "io_uring_register",
  "open_tree",
  "move_mount",
  "fsopen",
  "fsconfig",
  "fsmount",
  "fspick",
  "pidfd_open",
  "clone3",
  "close_range",
  "openat2",
  "pidfd_getfd",
  "faccessat2",
  "process_madvise",
  "epoll_pwait2",
  "mount_setattr",
  "quotactl_fd",
  "landlock_create_ruleset",
  "landlock_add_rule",
  "landlock_restrict_self",
  "memfd_secret",
  "process_mrelease",
  "futex_waitv",
  "set_mempolicy_home_node",
  "cachestat",
  "fchmodat2",
  "map_shadow_stack",
  "futex_wake",
  "futex_wait",
  "futex_requeue",
  "statmount",
  "listmount",
  "lsm_get_self_attr",
  "lsm_set_self_attr",
  "lsm_list_modules",
  "mseal",
  "setxattrat",
  "getxattrat",
  "listxattrat",
  "removexattrat",
  "open_tree_attr",
  "file_getattr",
  "file_setattr",
] as const;

/** The kernel's name of a system call. */
export type Syscall = keyof typeof NUMBERS | (typeof COMMON)[number];

const BY_NAME: ReadonlyMap<string, readonly [number, number | undefined]> = new Map<
  string,
  readonly [number, number | undefined]
>([
  ...Object.entries(NUMBERS),
  ...COMMON.map((name, index) => [name, [FIRST_COMMON + index, FIRST_COMMON + index]] as const),
]);

/** All system calls of either architecture. */
export const SYSCALLS = [...BY_NAME.keys()] as readonly Syscall[];

/** Whether a system call has this name on x86-64 or aarch64. */
export function isSyscall(name: string): name is Syscall {
  return BY_NAME.has(name);
}

/** Number of a system call; undefined if this architecture never had it. */
export function numberOf(name: Syscall, arch: Arch): number | undefined {
  return BY_NAME.get(name)?.[arch === "x86_64" ? 0 : 1];
}
