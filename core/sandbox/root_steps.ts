/**
 * The root that all jobs start from, read-only: made once, in a mount namespace that holds nothing else. A job's own mount
 * namespace is a copy of that one, so the host's mounts are never in it, and neither is what it could be led back to them by.
 */
import { constants as c } from "../../ffi/mod.ts";
import { bind, link, mkdir, setAttributes, tmpfs } from "./mount_steps.ts";
import type { RootEntry } from "./rootfs.ts";
import type { Step } from "./step.ts";

export interface RootOptions {
  /** Folder on the host that the new root is mounted over, in its own mount namespace alone. */
  readonly mountPoint: string;
  readonly entries: readonly RootEntry[];
  /** Prepared /etc. */
  readonly etc: string;
}

/** A folder that is empty and stays so: what masked folders of /proc show. */
export const EMPTY_FOLDER = "/var/empty";

const DEVICES = [
  ["null", 1, 3],
  ["zero", 1, 5],
  ["full", 1, 7],
  ["random", 1, 8],
  ["urandom", 1, 9],
  ["tty", 5, 0],
] as const;

/** Name of the step whose result is an fd of the namespace. */
export const OPEN_NAMESPACE = "open the mount namespace";

/** The steps of the process that makes it. Files are named by path: its fd table is the server's. */
export function rootSteps({ mountPoint, entries, etc }: RootOptions): Step[] {
  return [
    { name: "make a mount namespace", call: "unshare", args: [c.CLONE_NEWNS] },
    // Before the first mount: else it would appear on the host.
    { name: "make mounts private", call: "mount", args: [0, "/", 0, c.MS_REC | c.MS_PRIVATE, 0] },
    {
      name: OPEN_NAMESPACE,
      call: "openat",
      args: [c.AT_FDCWD, "/proc/self/ns/mnt", c.O_RDONLY | c.O_CLOEXEC, 0],
    },
    { name: "set umask", call: "umask", args: [0] },
    tmpfs("", mountPoint, c.MS_NOSUID | c.MS_NODEV | c.MS_NOEXEC, "size=64k,nr_inodes=128,mode=755"),
    { name: "enter the new root", call: "chdir", args: [mountPoint] },
    ...entries.flatMap((entry) =>
      entry.kind === "bind" ? bindSteps(entry.source, entry.name) : [link(entry.name, entry.target)]
    ),
    ...bindSteps(etc, "etc"),
    ...deviceSteps(),
    // Where each job mounts what is its own, and what programs expect to be there.
    mkdir("proc", 0o555),
    ...["work", "tmp", "run", "run/secrets", "var", "var/empty"].map((name) => mkdir(name)),
    link("var/tmp", "/tmp"),
    { name: "make / the root", call: "pivot_root", args: [".", "."] },
    { name: "let go of the host's root", call: "umount2", args: [".", c.MNT_DETACH] },
    { name: "enter /", call: "chdir", args: ["/"] },
    setAttributes("make / read-only", "/", c.MOUNT_ATTR_RDONLY),
  ];
}

/** Shows a folder of the host read-only, with all that is mounted below it. */
function bindSteps(source: string, name: string): Step[] {
  const attributes = c.MOUNT_ATTR_RDONLY | c.MOUNT_ATTR_NOSUID | c.MOUNT_ATTR_NODEV;
  return [
    mkdir(name),
    bind(`bind ${source} on /${name}`, source, name, true),
    setAttributes(`make /${name} read-only`, name, attributes, true),
  ];
}

/** An allow-list of devices in a small file system of their own, read-only when it is full. */
function deviceSteps(): Step[] {
  const node = ([name, major, minor]: typeof DEVICES[number]): Step => ({
    name: `make /dev/${name}`,
    call: "mknodat",
    args: [c.AT_FDCWD, `dev/${name}`, c.S_IFCHR | 0o666, (major << 8) | minor],
  });
  return [
    mkdir("dev"),
    tmpfs("dev", "dev", c.MS_NOSUID | c.MS_NOEXEC, "size=64k,nr_inodes=64,mode=755"),
    ...DEVICES.map(node),
    link("dev/fd", "/proc/self/fd"),
    link("dev/stdin", "/proc/self/fd/0"),
    link("dev/stdout", "/proc/self/fd/1"),
    link("dev/stderr", "/proc/self/fd/2"),
    mkdir("dev/shm"),
    setAttributes("make /dev read-only", "dev", c.MOUNT_ATTR_RDONLY),
  ];
}
