/** What a job may write: /work, /tmp and /dev/shm, in one file system so that one bound holds for all of it. */
import { constants as c, INIT_FDS } from "../../ffi/mod.ts";
import { bind, chown, mkdir, tmpfs } from "./mount_steps.ts";
import type { Step } from "./step.ts";

export interface ScratchOptions {
  readonly bytes: number;
  readonly inodes: number;
  /** Host's ids of the program's user and of the job's root. */
  readonly uid: number;
  readonly rootId: number;
  /** Files in it can't be executed. */
  readonly noExec: boolean;
  /** /work is a folder of the host, handed over as the fd that follows init's own. */
  readonly kept: boolean;
}

/** Where fdSteps puts the mount of a kept /work. */
export const FD_WORK = INIT_FDS.users + 2;

/** Its root and the three folders take inodes, too. */
const OWN_INODES = 4;

export function scratchSteps(options: ScratchOptions): Step[] {
  const { bytes, inodes, uid, rootId, noExec, kept } = options;
  const flags = c.MS_NOSUID | c.MS_NODEV | (noExec ? c.MS_NOEXEC : 0);
  const folder = (name: string, mode: number, owner: number): Step[] => [
    mkdir(`tmp/${name}`, mode),
    chown(`tmp/${name}`, owner, owner),
  ];
  return [
    tmpfs("tmp", "tmp", flags, `size=${bytes},nr_inodes=${inodes + OWN_INODES},mode=755`),
    ...folder("work", 0o755, uid),
    ...folder("tmp", 0o1777, rootId),
    ...folder("shm", 0o1777, rootId),
    kept ? moveWork() : bind("bind the job's folder on /work", "tmp/work", "work"),
    bind("bind shared memory on /dev/shm", "tmp/shm", "dev/shm"),
    // Last: it covers the folders above.
    bind("bind the job's /tmp on /tmp", "tmp/tmp", "tmp"),
  ];
}

function moveWork(): Step {
  return {
    name: "mount the kept folder on /work",
    call: "move_mount",
    args: [FD_WORK, "", c.AT_FDCWD, "work", c.MOVE_MOUNT_F_EMPTY_PATH],
  };
}
