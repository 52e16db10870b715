/**
 * What the process that becomes the job's program does after init has forked it into the job's cgroup, in order of
 * time: from root to an unprivileged user with nothing inherited, then the program. Every step is fatal.
 */
import { constants as c, INIT_FDS, PROGRAM_FDS } from "../../ffi/mod.ts";
import type { Step } from "./step.ts";

export interface ProgramOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment; PATH in it is where a command without a slash is looked for. */
  readonly env: Readonly<Record<string, string>>;
  readonly workdir: string;
  readonly uid: number;
  readonly gid: number;
  /** The server is shielded from the out-of-memory killer, which a job must not inherit. */
  readonly shielded: boolean;
  /** Highest capability of the running kernel (/proc/sys/kernel/cap_last_cap). */
  readonly lastCapability: number;
}

const NOFILE_SOFT = 1024n;
const NOFILE_HARD = 4096n;

export function programSteps(options: ProgramOptions): Step[] {
  return [
    { name: "start a session", call: "setsid", args: [] },
    { name: "connect stdin", call: "dup3", args: [PROGRAM_FDS.stdin, 0, 0] },
    { name: "connect stdout", call: "dup3", args: [PROGRAM_FDS.stdout, 1, 0] },
    { name: "connect stderr", call: "dup3", args: [PROGRAM_FDS.stderr, 2, 0] },
    // CVE-2024-21626: nothing but these three may reach the program. The start report must stay open until execve.
    { name: "hide other files", call: "close_range", args: [3, 0xffffffff, c.CLOSE_RANGE_CLOEXEC] },
    // So that the job may open its own /dev/stdout and /dev/stderr.
    { name: "own stdout", call: "fchown", args: [1, options.uid, options.gid] },
    { name: "own stderr", call: "fchown", args: [2, options.uid, options.gid] },
    // Only now that the process is in the job's cgroup does this show it as the root.
    { name: "make a cgroup namespace", call: "unshare", args: [c.CLONE_NEWCGROUP] },
    ...limitSteps(),
    ...(options.shielded ? unshieldSteps() : []),
    ...privilegeSteps(options),
    { name: `enter ${options.workdir}`, call: "chdir", args: [options.workdir] },
    { name: "unblock signals", call: "rt_sigprocmask", args: [c.SIG_SETMASK, new Uint8Array(8), 0, 8] },
    ...execSteps(options),
  ];
}

function rlimit(soft: bigint, hard: bigint): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, soft, true);
  view.setBigUint64(8, hard, true);
  return bytes;
}

function limitSteps(): Step[] {
  return [
    { name: "forbid core dumps", call: "prlimit64", args: [0, c.RLIMIT_CORE, rlimit(0n, 0n), 0] },
    { name: "limit open files", call: "prlimit64", args: [0, c.RLIMIT_NOFILE, rlimit(NOFILE_SOFT, NOFILE_HARD), 0] },
  ];
}

/** The journal's fd: of no use to this process, so its number can be used for another file. */
const FD_SCRATCH = INIT_FDS.journal;

/** Makes the job an ordinary choice of the out-of-memory killer again; raising the score needs no privilege. */
function unshieldSteps(): Step[] {
  const path = "/proc/self/oom_score_adj";
  return [
    { name: "close the journal", call: "close", args: [FD_SCRATCH] },
    { name: `open ${path}`, call: "openat", args: [c.AT_FDCWD, path, c.O_WRONLY | c.O_CLOEXEC, 0] },
    { name: "let the out-of-memory killer choose the job", call: "write", args: [FD_SCRATCH, "0", 1] },
    { name: `close ${path}`, call: "close", args: [FD_SCRATCH] },
  ];
}

/** All five capability sets empty, for good: the bounding set first, as dropping from it needs a capability. */
function privilegeSteps({ uid, gid, lastCapability }: ProgramOptions): Step[] {
  const drops = Array.from({ length: lastCapability + 1 }, (_, capability): Step => ({
    name: `drop capability ${capability} for good`,
    call: "prctl",
    args: [c.PR_CAPBSET_DROP, capability, 0, 0, 0],
  }));
  const header = new Uint8Array(8);
  new DataView(header.buffer).setUint32(0, c.CAPABILITY_VERSION_3, true);
  return [
    ...drops,
    {
      name: "clear ambient capabilities",
      call: "prctl",
      args: [c.PR_CAP_AMBIENT, c.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0],
    },
    { name: "leave all groups", call: "setgroups", args: [0, 0] },
    { name: `become group ${gid}`, call: "setresgid", args: [gid, gid, gid] },
    { name: `become user ${uid}`, call: "setresuid", args: [uid, uid, uid] },
    { name: "drop all capabilities", call: "capset", args: [header, new Uint8Array(24)] },
    { name: "forbid new privileges", call: "prctl", args: [c.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0] },
  ];
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
