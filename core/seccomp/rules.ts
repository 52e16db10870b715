/**
 * System calls that are allowed or refused by their arguments.
 *
 * All tests look at the low 32 bits of an argument and never at the high ones. That is what the kernel does with each
 * argument named here: they are `int`, `unsigned int` or `umode_t`, and of clone's flags it takes `lower_32_bits()`. To
 * look at all 64 would let a caller pass a forbidden value under junk in the high half (as CVE-2019-10063 did with
 * TIOCSTI).
 */

/** What becomes of a call: it is made, or fails with this error without having been made. */
export type Verdict = "allow" | "EPERM" | "ENOSYS" | "EAFNOSUPPORT" | "EPROTONOSUPPORT";

/** Holds if the low 32 bits of argument `arg` (0 to 5), reduced to `mask`, are one of the values. */
export interface ArgumentTest {
  readonly arg: number;
  /** @default {0xffffffff} */
  readonly mask?: number;
  readonly oneOf: readonly number[];
}

/** The first case whose tests all hold decides. */
export interface ArgumentRule {
  /** The reason, for people. */
  readonly why: string;
  readonly cases: readonly { readonly when: readonly ArgumentTest[]; readonly then: Verdict }[];
  readonly otherwise: Verdict;
}

/** CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET of linux/sched.h. */
export const CLONE_NEW_ANY = 0x80 | 0x20000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 |
  0x40000000;

const CLONE: ArgumentRule = {
  why: "no new namespaces: they open most of the kernel's administration to whoever makes one",
  // long clone(unsigned long flags, ...): first on both architectures.
  cases: [{ when: [{ arg: 0, mask: CLONE_NEW_ANY, oneOf: [0] }], then: "allow" }],
  otherwise: "EPERM",
};

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const AF_PACKET = 17;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
/** Without SOCK_CLOEXEC and SOCK_NONBLOCK. */
const SOCK_TYPE_MASK = 0xf;
const NETLINK_ROUTE = 0;
const [IPPROTO_IP, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMPV6] = [0, 1, 6, 17, 58];

const LOCAL = { arg: 0, oneOf: [AF_UNIX] };
const INTERNET = { arg: 0, oneOf: [AF_INET, AF_INET6] };
const NETLINK = { arg: 0, oneOf: [AF_NETLINK] };
const type = (...types: readonly number[]): ArgumentTest => ({ arg: 1, mask: SOCK_TYPE_MASK, oneOf: types });
const protocol = (...protocols: readonly number[]): ArgumentTest => ({ arg: 2, oneOf: protocols });

const SOCKET: ArgumentRule = {
  why: "local, TCP, UDP and ping sockets, and netlink to look up addresses: other families and protocols are rarely " +
    "needed, load kernel modules and had many holes (AF_ALG: CVE-2026-31431)",
  // int socket(int domain, int type, int protocol). Refusals read like a kernel without the family or protocol,
  // as programs that probe expect; those that the kernel itself keeps for CAP_NET_RAW read like its own EPERM.
  cases: [
    { when: [LOCAL], then: "allow" },
    { when: [INTERNET, type(SOCK_STREAM), protocol(IPPROTO_IP, IPPROTO_TCP)], then: "allow" },
    {
      when: [INTERNET, type(SOCK_DGRAM), protocol(IPPROTO_IP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6)],
      then: "allow",
    },
    // MPTCP, SCTP, UDP-Lite, L2TP, SMC: callers fall back to TCP.
    { when: [INTERNET, type(SOCK_STREAM, SOCK_DGRAM)], then: "EPROTONOSUPPORT" },
    { when: [INTERNET], then: "EPERM" },
    { when: [NETLINK, protocol(NETLINK_ROUTE)], then: "allow" },
    { when: [NETLINK], then: "EPROTONOSUPPORT" },
    { when: [{ arg: 0, oneOf: [AF_PACKET] }], then: "EPERM" },
  ],
  otherwise: "EAFNOSUPPORT",
};

const LOCAL_SOCKETS: ArgumentRule = {
  why: "local sockets only",
  cases: [{ when: [LOCAL], then: "allow" }],
  otherwise: "EAFNOSUPPORT",
};

const IOCTL: ArgumentRule = {
  why: "no typing into a terminal (TIOCSTI: CVE-2017-5226; TIOCLINUX pastes), no line disciplines (TIOCSETD)",
  // int ioctl(int fd, unsigned int command, ...)
  cases: [{ when: [{ arg: 1, oneOf: [0x5412, 0x541c, 0x5423] }], then: "EPERM" }],
  otherwise: "allow",
};

const PRCTL: ArgumentRule = {
  why: "no PR_SET_MM, which hides what a process runs and is for checkpoints; no PR_SCHED_CORE, which takes the " +
    "sibling hardware threads from other jobs",
  // int prctl(int option, ...)
  cases: [{ when: [{ arg: 0, oneOf: [35, 62] }], then: "EPERM" }],
  otherwise: "allow",
};

const PERSONALITY: ArgumentRule = {
  why: "Linux, its 32-bit kind, either with the old uname (UNAME26), and to ask: other personalities weaken memory " +
    "protection",
  // int personality(unsigned int persona)
  cases: [{ when: [{ arg: 0, oneOf: [0, 8, 0x20000, 0x20008, 0xffffffff] }], then: "allow" }],
  otherwise: "EPERM",
};

/** int mknod(path, umode_t mode, ...), where the mode is 16 bits wide. No kind stands for a regular file. */
function mknodRule(arg: number): ArgumentRule {
  return {
    why: "FIFOs, sockets and plain files, but no devices",
    cases: [{ when: [{ arg, mask: 0xf000, oneOf: [0, 0x8000, 0x1000, 0xc000] }], then: "allow" }],
    otherwise: "EPERM",
  };
}

const SECCOMP: ArgumentRule = {
  why: "a filter of the job's own can only take away; but no SECCOMP_FILTER_FLAG_NEW_LISTENER, which lets a process " +
    "answer for others",
  // int seccomp(unsigned int operation, unsigned int flags, ...)
  cases: [{ when: [{ arg: 1, mask: 1 << 3, oneOf: [0] }], then: "allow" }],
  otherwise: "EPERM",
};

/** What the policy decides by argument. */
export const RULES = {
  clone: CLONE,
  ioctl: IOCTL,
  mknod: mknodRule(1),
  mknodat: mknodRule(2),
  personality: PERSONALITY,
  prctl: PRCTL,
  seccomp: SECCOMP,
  socket: SOCKET,
  socketpair: LOCAL_SOCKETS,
} as const satisfies Readonly<Record<string, ArgumentRule>>;

/** Put over the rest by a strict policy. */
export const STRICT_RULES = { socket: LOCAL_SOCKETS } as const satisfies Readonly<Record<string, ArgumentRule>>;
