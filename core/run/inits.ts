/**
 * Inits that an earlier server started and that still run.
 *
 * The kernel's own list of the inits' cgroup says which, so nothing depends on what the earlier server had time to store: a
 * pid in there can't belong to anybody else.
 */
import { closeFd, pidfdOpen, pidfdSendSignal, type Poller, SyscallError, whenReadable } from "../../ffi/mod.ts";

const SIGKILL = 9;

/** How long a process may take to become an init: the set-up of a sandbox takes about two milliseconds. */
const BECOME_INIT_MS = 2000;
const LOOK_AGAIN_MS = 5;

export interface FoundInit {
  readonly pid: number;
  readonly pidfd: number;
  /** The id that it runs as and that no other job's init has; NaN for one that an earlier version started. */
  readonly ownId: number;
}

/**
 * Inits by job id; the caller closes the pidfds. Other processes of the cgroup are ended: no program was started yet.
 * @param listPids the pids in the cgroup now
 */
export async function findInits(listPids: () => readonly number[], poller: Poller): Promise<Map<string, FoundInit>> {
  const found = new Map<string, FoundInit>();
  const opened = listPids().flatMap((pid) => {
    const pidfd = openPidfd(pid);
    return pidfd === undefined ? [] : [{ pid, pidfd }];
  });
  // A pid may have gone to somebody else before its pidfd was opened; one that is still in the cgroup has not.
  const members = new Set(listPids());
  await Promise.all(opened.map(async ({ pid, pidfd }) => {
    if (!members.has(pid)) return closeFd(pidfd);
    const words = await initWords(pid);
    if (words !== undefined) return void found.set(words[JOB_ID]!, { pid, pidfd, ownId: Number(words[OWN_ID] || NaN) });
    await end(pidfd, poller);
  }));
  return found;
}

function openPidfd(pid: number): number | undefined {
  try {
    return pidfdOpen(pid);
  } catch (error) {
    if (error instanceof SyscallError && error.errnoName === "ESRCH") return undefined;
    throw error;
  }
}

/** Places in an init's command line, see ffi/native/init.c. */
const [NAME, JOB_ID, OWN_ID] = [0, 1, 6];

/**
 * An init's command line. A child that has not come to its execve has the server's, whose memory it shares; no
 * event tells when that changes. @returns undefined if it is no init and will not be one
 */
async function initWords(pid: number): Promise<string[] | undefined> {
  for (const deadline = performance.now() + BECOME_INIT_MS;;) {
    const words = readCommandLine(pid);
    if (words === undefined) return undefined;
    if (words[NAME] === "init" && words[JOB_ID]) return words;
    if (performance.now() > deadline) return undefined;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

/** undefined if there is no such process, or it has ended and was not reaped. */
function readCommandLine(pid: number): string[] | undefined {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/cmdline`);
    return text === "" ? undefined : text.split("\0");
  } catch (error) {
    // ESRCH where it ends between open and read.
    if (
      error instanceof Deno.errors.NotFound || (error instanceof Error && "code" in error && error.code === "ESRCH")
    ) {
      return undefined;
    }
    throw error;
  }
}

async function end(pidfd: number, poller: Poller): Promise<void> {
  try {
    pidfdSendSignal(pidfd, SIGKILL);
  } catch (error) {
    if (!(error instanceof SyscallError && error.errnoName === "ESRCH")) throw error;
  }
  await whenReadable(poller, pidfd);
  closeFd(pidfd);
}
