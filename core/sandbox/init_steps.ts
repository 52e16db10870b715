/**
 * What the job's first process does between clone3 and the execve of init, in order of time. It is root, alone in new
 * namespaces, and no code of the job runs yet. Every step is fatal.
 */
import { constants as c, INIT_FDS } from "../../ffi/mod.ts";
import { type ProcEntries, procSteps } from "./proc_steps.ts";
import { FD_WORK, type ScratchOptions, scratchSteps } from "./scratch_steps.ts";
import { type SecretFilesOptions, secretFileSteps } from "./secret_steps.ts";
import type { Step } from "./step.ts";

/** fds of the server that the child inherits; all at or above FIRST_SERVER_FD. */
export interface LaunchFds {
  readonly journal: number;
  readonly status: number;
  readonly table: number;
  readonly cgroup: number;
  readonly devNull: number;
  readonly init: number;
  /** Mount namespace with the root that jobs start from. */
  readonly root: number;
  /** The job's user namespace. */
  readonly users: number;
  /** A network namespace made ahead of time; absent: the child makes its own, if it is to have one. */
  readonly network?: number;
  /** A mount of the folder that is kept as /work; absent: there is none. */
  readonly work?: number;
}

/** The server's own fds start here, so moving them to 0..10 can't hit one that is still to be moved. */
export const FIRST_SERVER_FD = 16;
/** Free again once init is executed, so that its pipes get the numbers that the program's table counts on. */
const FD_INIT = INIT_FDS.users + 1;

export interface SetUpOptions {
  readonly hostname: string;
  readonly scratch: ScratchOptions;
  readonly secrets: SecretFilesOptions;
  readonly proc: ProcEntries;
  /** /proc shows processes and nothing else. */
  readonly pidsOnly: boolean;
}

/** Moves the inherited fds into place and closes all others (CVE-2024-21626: a leaked fd leads out of the sandbox). */
export function fdSteps(fds: LaunchFds): Step[] {
  const move = (name: string, from: number, to: number, flags = 0): Step => {
    if (from < FIRST_SERVER_FD) throw new RangeError(`Cannot pass fd ${from} on: it is below ${FIRST_SERVER_FD}`);
    return { name: `pass on ${name}`, call: "dup3", args: [from, to, flags] };
  };
  const { network } = fds;
  return [
    // First, as it takes the root and the working folder along: whatever follows can't reach the host's files by name.
    { name: "enter the jobs' root", call: "setns", args: [fds.root, c.CLONE_NEWNS] },
    ...(network === undefined ? [] : [enterNetwork(network)]),
    { name: "block signals", call: "rt_sigprocmask", args: [c.SIG_SETMASK, ALL_SIGNALS, 0, 8] },
    { name: "leave the server's session", call: "setsid", args: [] },
    ...[0, 1, 2].map((fd) => move("/dev/null", fds.devNull, fd)),
    move("the journal", fds.journal, INIT_FDS.journal),
    move("the status pipe", fds.status, INIT_FDS.status),
    move("the program's table", fds.table, INIT_FDS.table),
    move("the job's cgroup", fds.cgroup, INIT_FDS.cgroup),
    move("the program's stdin", fds.devNull, INIT_FDS.stdin),
    move("the user namespace", fds.users, INIT_FDS.users),
    move("init", fds.init, FD_INIT, c.O_CLOEXEC),
    move(
      fds.work === undefined ? "nothing as a kept folder" : "the kept folder",
      fds.work ?? fds.devNull,
      FD_WORK,
      c.O_CLOEXEC,
    ),
    { name: "close the server's files", call: "close_range", args: [FD_WORK + 1, 0xffffffff, 0] },
  ];
}

function enterNetwork(fd: number): Step {
  return { name: "enter the prepared network namespace", call: "setns", args: [fd, c.CLONE_NEWNET] };
}

/** Signals stay blocked through execve, so that one sent before init listens is not lost. */
const ALL_SIGNALS = new Uint8Array(8).fill(0xff);

/** Makes what is the job's own in its copy of the root. */
export function setUpSteps({ hostname, scratch, secrets, proc, pidsOnly }: SetUpOptions): Step[] {
  return [
    { name: "set umask", call: "umask", args: [0] },
    { name: "set host name", call: "sethostname", args: [hostname, hostname.length] },
    ...scratchSteps(scratch),
    ...secretFileSteps(secrets),
    ...procSteps(proc, pidsOnly),
    { name: "set umask", call: "umask", args: [0o022] },
  ];
}

/** The last step: init takes over. @param args init's arguments without its name */
export function execInitStep(args: readonly string[]): Step {
  return { name: "execute init", call: "execveat", args: [FD_INIT, "", ["init", ...args], [], c.AT_EMPTY_PATH] };
}
