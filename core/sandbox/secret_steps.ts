/** The job's secret files: /run/secrets, a file system of their own that is full and read-only before any code of the job runs. */
import { constants as c } from "../../ffi/mod.ts";
import { setAttributes, tmpfs } from "./mount_steps.ts";
import { FD_WORK } from "./scratch_steps.ts";
import type { Step } from "./step.ts";

export interface SecretFilesOptions {
  readonly files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
  /** Host's id of the program's user. */
  readonly uid: number;
}

const FOLDER = "run/secrets";
/** The largest page of the architectures that jobs run on: a file system has room for whole pages. */
const PAGE_BYTES = 64 * 1024;
const FLAGS = c.MS_NOSUID | c.MS_NODEV | c.MS_NOEXEC;
const READ_ONLY = c.MOUNT_ATTR_RDONLY | c.MOUNT_ATTR_NOSUID | c.MOUNT_ATTR_NODEV | c.MOUNT_ATTR_NOEXEC;
/** The lowest fd that is free: fdSteps leaves none above those that it puts into place. */
const FD_FILE = FD_WORK + 1;

/** Nothing for a job without secret files. */
export function secretFileSteps({ files, uid }: SecretFilesOptions): Step[] {
  const entries = Object.entries(files);
  if (entries.length === 0) return [];
  const bytes = entries.reduce((sum, [, { length }]) => sum + roundUp(length), 0);
  // 0 would be no bound at all. The folder itself takes an inode.
  const bounds = `size=${Math.max(bytes, PAGE_BYTES)},nr_inodes=${entries.length + 1}`;
  return [
    tmpfs(FOLDER, FOLDER, FLAGS, `${bounds},mode=500,uid=${uid},gid=${uid}`),
    ...entries.flatMap(([name, content]) => fileSteps(name, content, uid)),
    setAttributes(`make /${FOLDER} read-only`, FOLDER, READ_ONLY),
  ];
}

function fileSteps(name: string, content: Uint8Array<ArrayBuffer>, uid: number): Step[] {
  const path = `${FOLDER}/${name}`;
  const flags = c.O_WRONLY | c.O_CREAT | c.O_EXCL | c.O_CLOEXEC;
  return [
    { name: `make /${path}`, call: "openat", args: [c.AT_FDCWD, path, flags, 0o400], min: FD_FILE },
    {
      name: `write secret file ${name} (${content.length} bytes)`,
      call: "write",
      args: [FD_FILE, content, content.length],
      min: content.length,
    },
    { name: `give /${path} to ${uid}`, call: "fchown", args: [FD_FILE, uid, uid] },
    { name: `close /${path}`, call: "close", args: [FD_FILE] },
  ];
}

function roundUp(length: number): number {
  return Math.ceil(length / PAGE_BYTES) * PAGE_BYTES;
}
