/** Constants under their C names, with the header they come from. Values hold for x86-64 and aarch64. */

// fcntl.h (asm-generic)
export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;
/** O_DIRECTORY and O_NOFOLLOW differ: asm/fcntl.h of each architecture. */
export const O_DIRECTORY = Deno.build.arch === "x86_64" ? 0o200000 : 0o40000;
export const F_DUPFD_CLOEXEC = 1030;
export const F_ADD_SEALS = 1033;
export const F_SEAL_ALL = 0x0f; // SEAL | SHRINK | GROW | WRITE
export const AT_FDCWD = -100;
export const AT_EMPTY_PATH = 0x1000;
export const AT_RECURSIVE = 0x8000;
/** O_PATH is the same on both. */
export const O_PATH = 0o10000000;

// linux/openat2.h
export const RESOLVE_NO_MAGICLINKS = 2;
export const RESOLVE_NO_SYMLINKS = 4;
export const RESOLVE_BENEATH = 8;

// linux/memfd.h
export const MFD_CLOEXEC = 1;
export const MFD_ALLOW_SEALING = 2;

// linux/sched.h
export const CLONE_VM = 0x100n;
export const CLONE_FILES = 0x400n;
export const CLONE_PIDFD = 0x1000n;
export const CLONE_NEWNS = 0x20000n;
export const CLONE_NEWCGROUP = 0x2000000n;
export const CLONE_NEWUTS = 0x4000000n;
export const CLONE_NEWIPC = 0x8000000n;
export const CLONE_NEWUSER = 0x10000000n;
export const CLONE_NEWPID = 0x20000000n;
export const CLONE_NEWNET = 0x40000000n;
export const CLONE_CLEAR_SIGHAND = 0x100000000n;
export const CLONE_INTO_CGROUP = 0x200000000n;

// linux/mount.h
export const MS_NOSUID = 2;
export const MS_NODEV = 4;
export const MS_NOEXEC = 8;
export const MS_BIND = 0x1000;
export const MS_REC = 0x4000;
export const MS_PRIVATE = 0x40000;
export const MNT_DETACH = 2;
export const OPEN_TREE_CLONE = 1;
export const MOVE_MOUNT_F_EMPTY_PATH = 4;
export const MOUNT_ATTR_RDONLY = 1;
export const MOUNT_ATTR_NOSUID = 2;
export const MOUNT_ATTR_NODEV = 4;
export const MOUNT_ATTR_NOEXEC = 8;
export const MOUNT_ATTR_IDMAP = 0x100000;

// linux/prctl.h, linux/capability.h
export const PR_CAPBSET_DROP = 24;
export const PR_SET_SECUREBITS = 28;
export const PR_SET_NO_NEW_PRIVS = 38;
export const PR_CAP_AMBIENT = 47;
export const PR_CAP_AMBIENT_CLEAR_ALL = 4;
export const CAPABILITY_VERSION_3 = 0x20080522;

/** linux/securebits.h: NOROOT, NO_SETUID_FIXUP, KEEP_CAPS off and NO_CAP_AMBIENT_RAISE, each locked. */
export const SECUREBITS_LOCKED_DOWN = 0x01 | 0x02 | 0x04 | 0x08 | 0x20 | 0x40 | 0x80;

// linux/seccomp.h
export const SECCOMP_SET_MODE_FILTER = 1;

// linux/keyctl.h
export const KEYCTL_JOIN_SESSION_KEYRING = 1;

// linux/landlock.h
export const LANDLOCK_CREATE_RULESET_VERSION = 1;
export const LANDLOCK_RULE_PATH_BENEATH = 1;

// sys/stat.h
export const S_IFCHR = 0o20000;

// linux/close_range.h
export const CLOSE_RANGE_CLOEXEC = 4;

// bits/resource.h
export const RLIMIT_CORE = 4;
export const RLIMIT_NOFILE = 7;
export const RLIMIT_NICE = 13;
export const RLIMIT_RTPRIO = 14;

// signal.h
export const SIG_SETMASK = 2;
export const SIGKILL = 9;

// sys/epoll.h
export const EPOLLIN = 1;
export const EPOLLPRI = 2;
export const EPOLLHUP = 16;

// sys/inotify.h
export const IN_MODIFY = 2;
export const IN_IGNORED = 0x8000;

// sys/socket.h, net/if.h
export const AF_INET = 2;
export const SOCK_DGRAM = 2;
export const SOCK_CLOEXEC = 0o2000000;
export const SIOCSIFFLAGS = 0x8914;
export const IFF_UP = 1;

// sys/wait.h
export const P_PIDFD = 3;
export const WNOHANG = 1;
export const WEXITED = 4;
export const WALL = 0x40000000;
