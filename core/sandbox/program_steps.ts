/**
 * What the process that becomes the job's program does after init has forked it into the job's cgroup, in order of
 * time: from root to an unprivileged user of its own user namespace with nothing inherited, then the program. Every step is
 * fatal.
 */
import { constants as c, PROGRAM_FDS } from "../../ffi/mod.ts";
import { type LandlockOptions, landlockRestriction, landlockRules } from "./landlock_steps.ts";
import { privilegeSteps } from "./privilege_steps.ts";
import type { Step } from "./step.ts";

export interface ProgramOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment; PATH in it is where a command without a slash is looked for. */
  readonly env: Readonly<Record<string, string>>;
  readonly workdir: string;
  /** The program's user and group in the user namespace. */
  readonly uid: number;
  /** The same as the host knows it. */
  readonly hostUid: number;
  /** The server is shielded from the out-of-memory killer, which a job must not inherit. */
  readonly shielded: boolean;
  /** Highest capability of the running kernel (/proc/sys/kernel/cap_last_cap). */
  readonly lastCapability: number;
  /** The kernel has keyrings. */
  readonly keyrings: boolean;
  /** Soft and hard limit of open files. */
  readonly openFiles: readonly [soft: number, hard: number];
  readonly landlock: LandlockOptions;
  /** struct sock_filter[] of the system calls that are allowed. */
  readonly filter: Uint8Array<ArrayBuffer>;
}

/** The lowest fds that are free once the process has let go of init's journal and status pipe. */
const FREE = { ruleset: PROGRAM_FDS.journal, folder: PROGRAM_FDS.status } as const;

export function programSteps(options: ProgramOptions): Step[] {
  const { hostUid, workdir, landlock } = options;
  return [
    { name: "start a session", call: "setsid", args: [] },
    { name: "connect stdin", call: "dup3", args: [PROGRAM_FDS.stdin, 0, 0] },
    { name: "connect stdout", call: "dup3", args: [PROGRAM_FDS.stdout, 1, 0] },
    { name: "connect stderr", call: "dup3", args: [PROGRAM_FDS.stderr, 2, 0] },
    // CVE-2024-21626: nothing but these three may reach the program. The start report must stay open until execve.
    { name: "hide other files", call: "close_range", args: [3, 0xffffffff, c.CLOSE_RANGE_CLOEXEC] },
    { name: "close the journal", call: "close", args: [PROGRAM_FDS.journal] },
    { name: "close the status pipe", call: "close", args: [PROGRAM_FDS.status] },
    // So that the job may open its own /dev/stdout and /dev/stderr.
    { name: "own stdout", call: "fchown", args: [1, hostUid, hostUid] },
    { name: "own stderr", call: "fchown", args: [2, hostUid, hostUid] },
    // Only now that the process is in the job's cgroup does this show it as the root.
    { name: "make a cgroup namespace", call: "unshare", args: [c.CLONE_NEWCGROUP] },
    ...limitSteps(options.openFiles),
    ...(options.shielded ? unshieldSteps() : []),
    ...landlockRules(landlock, FREE),
    ...privilegeSteps(options),
    ...landlockRestriction(landlock, FREE),
    { name: `enter ${workdir}`, call: "chdir", args: [workdir] },
    { name: "unblock signals", call: "rt_sigprocmask", args: [c.SIG_SETMASK, new Uint8Array(8), 0, 8] },
    // Last, so that it need not allow what sets the sandbox up.
    filterStep(options.filter),
    ...execSteps(options),
  ];
}

function rlimit(soft: number, hard: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(soft), true);
  view.setBigUint64(8, BigInt(hard), true);
  return bytes;
}

/** What the server may do must not be what a job may do: each is set, whatever the server has. */
function limitSteps([soft, hard]: ProgramOptions["openFiles"]): Step[] {
  const limit = (name: string, resource: number, value: Uint8Array<ArrayBuffer>): Step => ({
    name,
    call: "prlimit64",
    args: [0, resource, value, 0],
  });
  return [
    limit("forbid core dumps", c.RLIMIT_CORE, rlimit(0, 0)),
    limit("limit open files", c.RLIMIT_NOFILE, rlimit(soft, hard)),
    limit("forbid a better nice value", c.RLIMIT_NICE, rlimit(0, 0)),
    limit("forbid realtime scheduling", c.RLIMIT_RTPRIO, rlimit(0, 0)),
  ];
}

/** Makes the job an ordinary choice of the out-of-memory killer again; raising the score needs no privilege. */
function unshieldSteps(): Step[] {
  const path = "/proc/self/oom_score_adj";
  return [
    { name: `open ${path}`, call: "openat", args: [c.AT_FDCWD, path, c.O_WRONLY | c.O_CLOEXEC, 0] },
    { name: "let the out-of-memory killer choose the job", call: "write", args: [FREE.ruleset, "0", 1] },
    { name: `close ${path}`, call: "close", args: [FREE.ruleset] },
  ];
}

const FILTER_BYTES = 8; // sizeof(struct sock_filter)

/** struct sock_fprog {u16 len, pointer filter}. */
function filterStep(filter: Uint8Array<ArrayBuffer>): Step {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint16(0, filter.length / FILTER_BYTES, true);
  return {
    name: "filter system calls",
    call: "seccomp",
    args: [c.SECCOMP_SET_MODE_FILTER, 0, { bytes, pointerAt: 8, target: filter }],
  };
}

/** Paths that the command is tried at, in order. */
export function candidates(command: string, path: string | undefined): string[] {
  if (command.includes("/")) return [command];
  const folders = (path ?? "").split(":").filter((folder) => folder.startsWith("/"));
  return folders.map((folder) => `${folder.replace(/\/+$/, "")}/${command}`);
}

function execSteps({ command, args, env }: ProgramOptions): Step[] {
  const environment = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  // An empty search ends like a search that found nothing: execve of "" is ENOENT.
  const paths = candidates(command, env["PATH"]);
  const tried = paths.length > 0 ? paths : [""];
  return tried.map((path, index): Step => ({
    name: `execute ${path}`,
    call: "execve",
    args: [path, [command, ...args], environment],
    search: index < tried.length - 1,
  }));
}
