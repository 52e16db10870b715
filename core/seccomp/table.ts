/**
 * What a job's program may ask of the kernel: every system call that exists, by name, with the reason. What is decided
 * by arguments stands in rules.ts. A call that is in neither, such as one of a newer kernel, fails with ENOSYS, as if
 * the kernel did not have it: programs that try a new call first then take the old way.
 */
export interface CallGroup {
  readonly name: string;
  readonly why: string;
  /** Names with blanks between them. */
  readonly calls: string;
}

/** Made as they are. */
export const ALLOWED: readonly CallGroup[] = [
  {
    name: "reading and writing",
    why: "on files that are open already; what may be opened is decided by the sandbox's mounts and users",
    calls:
      "read write pread64 pwrite64 readv writev preadv pwritev preadv2 pwritev2 lseek close close_range dup dup2 " +
      "dup3 fcntl flock fsync fdatasync sync syncfs sync_file_range truncate ftruncate fallocate fadvise64 readahead " +
      "sendfile copy_file_range splice tee pipe pipe2 getdents getdents64 cachestat",
  },
  {
    name: "files and folders",
    why: "names, owners and attributes, each checked against the job's own user",
    calls: "open openat openat2 creat stat fstat lstat newfstatat statx statfs fstatfs access faccessat faccessat2 " +
      "getcwd chdir fchdir mkdir mkdirat rmdir rename renameat renameat2 link linkat unlink unlinkat symlink symlinkat " +
      "readlink readlinkat chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat umask utime utimes futimesat " +
      "utimensat setxattr lsetxattr fsetxattr setxattrat getxattr lgetxattr fgetxattr getxattrat listxattr llistxattr " +
      "flistxattr listxattrat removexattr lremovexattr fremovexattr removexattrat file_getattr file_setattr " +
      "name_to_handle_at inotify_init inotify_init1 inotify_add_watch inotify_rm_watch",
  },
  {
    name: "mounts, to look at",
    why: "those of the job's own namespace, which /proc/self/mountinfo shows as well",
    calls: "statmount listmount",
  },
  {
    name: "waiting for files",
    why: "on descriptors that the process has",
    calls: "poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 " +
      "eventfd eventfd2 signalfd signalfd4 io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents",
  },
  {
    name: "memory",
    why: "of the process itself, bounded by the job's cgroup and resource limits",
    calls: "mmap munmap mprotect mremap msync mincore madvise brk mlock mlock2 munlock mlockall munlockall mseal " +
      "remap_file_pages memfd_create pkey_mprotect pkey_alloc pkey_free map_shadow_stack membarrier mbind " +
      "set_mempolicy get_mempolicy set_mempolicy_home_node",
  },
  {
    name: "processes",
    why: "the job's own, in its PID namespace",
    calls: "fork vfork execve execveat exit exit_group wait4 waitid getpid getppid gettid getpgid getpgrp setpgid " +
      "getsid setsid set_tid_address getrusage times uname sysinfo getcpu pidfd_open process_mrelease arch_prctl",
  },
  {
    name: "threads and locks",
    why: "within the process",
    calls: "futex futex_waitv futex_wake futex_wait futex_requeue set_robust_list get_robust_list rseq",
  },
  {
    name: "scheduling",
    why: "the kernel refuses what takes from others without CAP_SYS_NICE",
    calls: "sched_yield sched_setparam sched_getparam sched_setscheduler sched_getscheduler sched_get_priority_max " +
      "sched_get_priority_min sched_rr_get_interval sched_setaffinity sched_getaffinity sched_setattr sched_getattr " +
      "getpriority setpriority ioprio_set ioprio_get",
  },
  {
    name: "signals",
    why: "to processes that the job can see",
    calls: "kill tkill tgkill pause alarm rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait " +
      "rt_sigqueueinfo rt_tgsigqueueinfo rt_sigsuspend sigaltstack restart_syscall pidfd_send_signal",
  },
  {
    name: "clocks and timers",
    why: "to read clocks and to wait; not to set them",
    calls: "time gettimeofday clock_gettime clock_getres clock_nanosleep nanosleep getitimer setitimer timer_create " +
      "timer_settime timer_gettime timer_getoverrun timer_delete timerfd_create timerfd_settime timerfd_gettime",
  },
  {
    name: "sockets",
    why: "on those that socket() let the process have",
    calls:
      "connect accept accept4 bind listen getsockname getpeername setsockopt getsockopt shutdown sendto recvfrom " +
      "sendmsg recvmsg sendmmsg recvmmsg",
  },
  {
    name: "queues, semaphores and shared memory",
    why: "of the job's own IPC namespace",
    calls: "shmget shmat shmctl shmdt semget semop semctl semtimedop msgget msgsnd msgrcv msgctl mq_open mq_unlink " +
      "mq_timedsend mq_timedreceive mq_notify mq_getsetattr",
  },
  {
    name: "users and limits",
    why: "without capabilities nothing can be gained by them",
    calls: "getuid geteuid getgid getegid getresuid getresgid getgroups setuid setgid setreuid setregid setresuid " +
      "setresgid setfsuid setfsgid setgroups capget capset getrlimit setrlimit prlimit64",
  },
  {
    name: "giving up rights",
    why: "they can only take away from the process that calls them",
    calls: "landlock_create_ruleset landlock_add_rule landlock_restrict_self lsm_get_self_attr lsm_list_modules",
  },
  {
    name: "random numbers",
    why: "there is nothing to protect",
    calls: "getrandom",
  },
  {
    name: "probes by the host's administrator",
    why: "made by code that the kernel puts into a traced process; refused, the process would crash",
    calls: "uretprobe uprobe",
  },
];

/** Fail with EPERM. Most need a capability that no job has; refused here, their code in the kernel is not reached. */
export const REFUSED: readonly CallGroup[] = [
  {
    name: "namespaces",
    why: "a user namespace gives its maker every capability inside and with it most of the kernel's attack surface",
    calls: "unshare setns",
  },
  {
    name: "mounts",
    why: "the sandbox's mounts are what a job can see",
    calls:
      "mount umount2 move_mount open_tree open_tree_attr fsopen fsconfig fsmount fspick mount_setattr pivot_root " +
      "chroot",
  },
  {
    name: "other processes",
    why: "debugging reaches around what another process was allowed",
    calls: "ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd",
  },
  {
    name: "io_uring",
    why: "its requests pass by this filter, and it had the most holes of all",
    calls: "io_uring_setup io_uring_enter io_uring_register",
  },
  {
    name: "programs in the kernel",
    why: "large attack surface, and perf events show other jobs' work",
    calls: "bpf perf_event_open userfaultfd init_module finit_module delete_module kexec_load kexec_file_load " +
      "lookup_dcookie fanotify_init fanotify_mark lsm_set_self_attr",
  },
  {
    name: "keys",
    why: "keyrings are not kept apart by namespaces",
    calls: "keyctl add_key request_key",
  },
  {
    name: "file handles",
    why: "opens files outside the sandbox's mounts",
    calls: "open_by_handle_at",
  },
  {
    name: "pages",
    why: "vmsplice shares pages with a pipe by reference (CVE-2020-29374); the others move those of other processes",
    calls: "vmsplice move_pages migrate_pages",
  },
  {
    name: "the host",
    why: "its name, clock, accounting, swap, log and hardware are not a job's",
    calls: "sethostname setdomainname settimeofday clock_settime clock_adjtime adjtimex acct quotactl quotactl_fd " +
      "swapon swapoff reboot syslog vhangup iopl ioperm",
  },
  {
    name: "remains",
    why: "of old libraries and servers",
    calls: "uselib sysfs ustat nfsservctl",
  },
];

/** Fail with ENOSYS, knowingly: their callers then do without. */
export const ABSENT: readonly CallGroup[] = [
  {
    name: "clone3",
    why: "its flags are behind a pointer, where a filter can't look; C libraries fall back to clone",
    calls: "clone3",
  },
  {
    name: "secret memory",
    why: "it splits the host's direct map of memory for good; callers fall back to mlock",
    calls: "memfd_secret",
  },
  {
    name: "segments",
    why: "16 and 32-bit code segments: many holes, no use but old Windows programs",
    calls: "modify_ldt",
  },
  {
    name: "never or no longer there",
    why: "the kernel answers the same",
    calls: "_sysctl create_module get_kernel_syms query_module getpmsg putpmsg afs_syscall tuxcall security vserver " +
      "epoll_ctl_old epoll_wait_old set_thread_area get_thread_area",
  },
];

/** Fails with ENOSYS under a strict policy besides: callers fall back to a temporary file. */
export const STRICTLY_ABSENT = "memfd_create";

/** What an administrator may allow by one name. Other calls are allowed by their own. */
export const WIDENINGS: readonly CallGroup[] = [
  {
    name: "debug",
    why: "debuggers and tracers",
    calls: "ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd personality",
  },
  {
    name: "io_uring",
    why: "databases that insist on it",
    calls: "io_uring_setup io_uring_enter io_uring_register",
  },
  {
    name: "userns",
    why: "programs that make a sandbox of their own, such as browsers",
    calls: "unshare setns clone",
  },
  {
    name: "mounts",
    why: "inside a user namespace: with userns, for containers in a job",
    calls:
      "mount umount2 move_mount open_tree open_tree_attr fsopen fsconfig fsmount fspick mount_setattr pivot_root " +
      "chroot sethostname setdomainname",
  },
];

/** The names of a group's calls. */
export function callsOf(group: CallGroup): string[] {
  return group.calls.split(" ");
}
