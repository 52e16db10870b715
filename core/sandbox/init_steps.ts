/**
 * What the job's first process does between clone3 and the execve of init, in order of time. It is root, alone in new
 * namespaces, and no code of the job runs yet. Every step is fatal.
 */
import { constants as c, INIT_FDS } from "../../ffi/mod.ts";
import type { NetworkMode } from "../jobs/spec.ts";
import type { RootEntry } from "./rootfs.ts";
import type { Step } from "./step.ts";

/** fds of the server that the child inherits; all at or above FIRST_SERVER_FD. */
export interface LaunchFds {
  readonly journal: number;
  readonly status: number;
  readonly table: number;
  readonly cgroup: number;
  readonly devNull: number;
  readonly init: number;
  /** A network namespace made ahead of time; absent: the child makes its own, if it is to have one. */
  readonly network?: number;
}

/** The server's own fds start here, so moving them to 0..8 can't hit one that is still to be moved. */
export const FIRST_SERVER_FD = 16;
const FD_INIT = 8;
/** The lowest free fd once the others are closed: what the next call that makes an fd gets. */
const FD_SCRATCH = 9;

export interface RootOptions {
  /** Folder on the host that the new root is mounted over, in the job's mount namespace alone. */
  readonly mountPoint: string;
  readonly entries: readonly RootEntry[];
  /** Prepared /etc. */
  readonly etc: string;
  readonly hostname: string;
  readonly uid: number;
  readonly gid: number;
  readonly workBytes: number;
  readonly tmpBytes: number;
  readonly network: NetworkMode;
}

const DEVICES = [
  ["null", 1, 3],
  ["zero", 1, 5],
  ["full", 1, 7],
  ["random", 1, 8],
  ["urandom", 1, 9],
  ["tty", 5, 0],
] as const;

/** Moves the inherited fds into place and closes all others (CVE-2024-21626: a leaked fd leads out of the sandbox). */
export function fdSteps(fds: LaunchFds): Step[] {
  const move = (name: string, from: number, to: number, flags = 0): Step => {
    if (from < FIRST_SERVER_FD) throw new RangeError(`Cannot pass fd ${from} on: it is below ${FIRST_SERVER_FD}`);
    return { name: `pass on ${name}`, call: "dup3", args: [from, to, flags] };
  };
  const { network } = fds;
  return [
    ...(network === undefined ? [] : [enterNetwork(network)]),
    { name: "block signals", call: "rt_sigprocmask", args: [c.SIG_SETMASK, ALL_SIGNALS, 0, 8] },
    { name: "leave the server's session", call: "setsid", args: [] },
    ...[0, 1, 2].map((fd) => move("/dev/null", fds.devNull, fd)),
    move("the journal", fds.journal, INIT_FDS.journal),
    move("the status pipe", fds.status, INIT_FDS.status),
    move("the program's table", fds.table, INIT_FDS.table),
    move("the job's cgroup", fds.cgroup, INIT_FDS.cgroup),
    move("the program's stdin", fds.devNull, INIT_FDS.stdin),
    move("init", fds.init, FD_INIT, c.O_CLOEXEC),
    { name: "close the server's files", call: "close_range", args: [FD_SCRATCH, 0xffffffff, 0] },
  ];
}

function enterNetwork(fd: number): Step {
  return { name: "enter the prepared network namespace", call: "setns", args: [fd, c.CLONE_NEWNET] };
}

/** Signals stay blocked through execve, so that one sent before init listens is not lost. */
const ALL_SIGNALS = new Uint8Array(8).fill(0xff);

/** Builds the root, steps into it and lets go of the host's. */
export function rootSteps(root: RootOptions): Step[] {
  return [
    { name: "set umask", call: "umask", args: [0] },
    { name: "set host name", call: "sethostname", args: [root.hostname, root.hostname.length] },
    ...(root.network === "none" ? loopbackSteps() : []),
    // Before the first mount: else it would appear on the host.
    { name: "make mounts private", call: "mount", args: [0, "/", 0, c.MS_REC | c.MS_PRIVATE, 0] },
    tmpfs("root", root.mountPoint, c.MS_NOSUID | c.MS_NODEV, "size=64k,nr_inodes=128,mode=755"),
    { name: "enter the new root", call: "chdir", args: [root.mountPoint] },
    ...root.entries.flatMap((entry) => entry.kind === "bind" ? bindSteps(entry.source, entry.name) : linkSteps(entry)),
    ...bindSteps(root.etc, "etc"),
    ...deviceSteps(root.tmpBytes),
    ...procSteps(),
    ...mountFolder("tmp", c.MS_NOSUID | c.MS_NODEV, `size=${root.tmpBytes},mode=1777`),
    ...mountFolder(
      "work",
      c.MS_NOSUID | c.MS_NODEV,
      `size=${root.workBytes},mode=755,uid=${root.uid},gid=${root.gid}`,
    ),
    { name: "make / the root", call: "pivot_root", args: [".", "."] },
    { name: "let go of the host's root", call: "umount2", args: [".", c.MNT_DETACH] },
    { name: "enter /", call: "chdir", args: ["/"] },
    setAttributes("make / read-only", "/", c.MOUNT_ATTR_RDONLY),
    { name: "set umask", call: "umask", args: [0o022] },
  ];
}

/** The last step: init takes over. @param args init's arguments without its name */
export function execInitStep(args: readonly string[]): Step {
  return { name: "execute init", call: "execveat", args: [FD_INIT, "", ["init", ...args], [], c.AT_EMPTY_PATH] };
}

function mkdir(name: string, mode = 0o755): Step {
  return { name: `make /${name}`, call: "mkdirat", args: [c.AT_FDCWD, name, mode] };
}

function tmpfs(name: string, target: string, flags: number, options: string): Step {
  return {
    name: `mount tmpfs on /${name === "root" ? "" : name}`,
    call: "mount",
    args: ["tmpfs", target, "tmpfs", flags, options],
  };
}

function mountFolder(name: string, flags: number, options: string): Step[] {
  return [mkdir(name), tmpfs(name, name, flags, options)];
}

function linkSteps({ name, target }: { readonly name: string; readonly target: string }): Step[] {
  return [{ name: `link /${name} to ${target}`, call: "symlinkat", args: [target, c.AT_FDCWD, name] }];
}

/** struct mount_attr {attr_set, attr_clr, propagation, userns_fd} of linux/mount.h. */
function mountAttr(attributes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(attributes), true);
  return bytes;
}

function setAttributes(name: string, path: string, attributes: number): Step {
  return { name, call: "mount_setattr", args: [c.AT_FDCWD, path, 0, mountAttr(attributes), 32] };
}

/** Shows a folder of the host read-only, with all that is mounted below it; attributes are set before it is visible. */
function bindSteps(source: string, name: string): Step[] {
  const attributes = mountAttr(c.MOUNT_ATTR_RDONLY | c.MOUNT_ATTR_NOSUID | c.MOUNT_ATTR_NODEV);
  const open = c.OPEN_TREE_CLONE | c.AT_RECURSIVE | c.O_CLOEXEC;
  return [
    mkdir(name),
    { name: `open ${source}`, call: "open_tree", args: [c.AT_FDCWD, source, open] },
    {
      name: `make ${source} read-only`,
      call: "mount_setattr",
      args: [FD_SCRATCH, "", c.AT_EMPTY_PATH | c.AT_RECURSIVE, attributes, 32],
    },
    {
      name: `bind ${source} on /${name}`,
      call: "move_mount",
      args: [FD_SCRATCH, "", c.AT_FDCWD, name, c.MOVE_MOUNT_F_EMPTY_PATH],
    },
    { name: `close ${source}`, call: "close", args: [FD_SCRATCH] },
  ];
}

/** An allow-list of devices in a small file system of their own, read-only when it is full. */
function deviceSteps(shmBytes: number): Step[] {
  const node = ([name, major, minor]: typeof DEVICES[number]): Step => ({
    name: `make /dev/${name}`,
    call: "mknodat",
    args: [c.AT_FDCWD, `dev/${name}`, c.S_IFCHR | 0o666, (major << 8) | minor],
  });
  const link = (name: string, target: string): Step[] => linkSteps({ name: `dev/${name}`, target });
  return [
    ...mountFolder("dev", c.MS_NOSUID | c.MS_NOEXEC, "size=64k,nr_inodes=64,mode=755"),
    ...DEVICES.map(node),
    ...link("fd", "/proc/self/fd"),
    ...link("stdin", "/proc/self/fd/0"),
    ...link("stdout", "/proc/self/fd/1"),
    ...link("stderr", "/proc/self/fd/2"),
    ...mountFolder("dev/shm", c.MS_NOSUID | c.MS_NODEV, `size=${shmBytes},mode=1777`),
    setAttributes("make /dev read-only", "dev", c.MOUNT_ATTR_RDONLY),
  ];
}

/** Shows the job's own processes only; those of other users, init included, are hidden from the job's user. */
function procSteps(): Step[] {
  const flags = c.MS_NOSUID | c.MS_NODEV | c.MS_NOEXEC;
  return [mkdir("proc", 0o555), {
    name: "mount proc on /proc",
    call: "mount",
    args: ["proc", "proc", "proc", flags, "hidepid=2"],
  }];
}

/** Sets the interface flags of "lo" (struct ifreq: 16 bytes of name, then the flags). */
function loopbackSteps(): Step[] {
  const ifreq = new Uint8Array(40);
  new TextEncoder().encodeInto("lo", ifreq);
  new DataView(ifreq.buffer).setInt16(16, c.IFF_UP, true);
  return [
    { name: "open a socket", call: "socket", args: [c.AF_INET, c.SOCK_DGRAM | c.SOCK_CLOEXEC, 0] },
    { name: "bring up loopback", call: "ioctl", args: [FD_SCRATCH, c.SIOCSIFFLAGS, ifreq] },
    { name: "close the socket", call: "close", args: [FD_SCRATCH] },
  ];
}
