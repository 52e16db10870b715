/**
 * Landlock, where the kernel has it: a second layer that does not depend on how things are mounted. A job writes below /work,
 * /tmp and /dev/shm and nowhere else, and reaches neither abstract sockets nor processes outside, even with the host's network.
 */
import { constants as c } from "../../ffi/mod.ts";
import type { Step } from "./step.ts";

/** Rights on files of linux/landlock.h, and the version of the interface that each came with. */
const FS = {
  execute: 1 << 0,
  writeFile: 1 << 1,
  readFile: 1 << 2,
  readDir: 1 << 3,
  removeDir: 1 << 4,
  removeFile: 1 << 5,
  makeChar: 1 << 6,
  makeDir: 1 << 7,
  makeReg: 1 << 8,
  makeSock: 1 << 9,
  makeFifo: 1 << 10,
  makeBlock: 1 << 11,
  makeSym: 1 << 12,
  refer: 1 << 13,
  truncate: 1 << 14,
  ioctlDev: 1 << 15,
} as const;
const SINCE: readonly (readonly [abi: number, rights: number])[] = [
  [1, (1 << 13) - 1],
  [2, FS.refer],
  [3, FS.truncate],
  [5, FS.ioctlDev],
];
const READ = FS.readFile | FS.readDir;
const CHANGE = FS.writeFile | FS.truncate;
const DEVICES = FS.makeChar | FS.makeBlock;
const ALL = (1 << 16) - 1;

/** LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL, of version 6. */
const SCOPES = 3n;
const SCOPES_SINCE = 6;
/** LANDLOCK_ACCESS_NET_BIND_TCP | LANDLOCK_ACCESS_NET_CONNECT_TCP, of version 4. */
const TCP = 3n;
const TCP_SINCE = 4;

export interface LandlockOptions {
  /** Version of the kernel's interface; 0: it has none. */
  readonly abi: number;
  /** Nothing that the job may write can be executed, and there is no TCP. */
  readonly strict: boolean;
  /** The read-only folders whose files may be executed, if not all. */
  readonly programFolders: readonly string[];
}

/** The two lowest fds that are free when the rules are made. */
export interface LandlockFds {
  readonly ruleset: number;
  readonly folder: number;
}

/** Makes the rules, as root: opening the folders must not depend on the job's user. */
export function landlockRules(options: LandlockOptions, fds: LandlockFds): Step[] {
  const { abi, strict, programFolders } = options;
  if (abi < 1) return [];
  const handled = SINCE.filter(([since]) => abi >= since).reduce((rights, [, more]) => rights | more, 0);
  const everywhere = strict ? READ : READ | FS.execute;
  const scratch = ALL & ~DEVICES & (strict ? ~FS.execute : ALL);
  const rule = (path: string, rights: number) => ruleSteps(path, rights & handled, fds);
  return [
    {
      name: "make Landlock rules",
      call: "landlock_create_ruleset",
      args: [rulesetAttr(abi, handled, strict), rulesetBytes(abi), 0],
    },
    ...rule("/", everywhere),
    ...(strict ? programFolders.flatMap((path) => rule(path, READ | FS.execute)) : []),
    ...["/work", "/tmp", "/dev/shm"].flatMap((path) => rule(path, scratch)),
    ...rule("/dev", CHANGE | FS.ioctlDev),
    ...rule("/proc", CHANGE),
  ];
}

/** Makes the rules hold for this process and all that it starts. */
export function landlockRestriction({ abi }: LandlockOptions, fds: LandlockFds): Step[] {
  if (abi < 1) return [];
  return [
    { name: "restrict by Landlock", call: "landlock_restrict_self", args: [fds.ruleset, 0] },
    { name: "close the Landlock rules", call: "close", args: [fds.ruleset] },
  ];
}

/** sizeof(struct landlock_ruleset_attr) that this version knows: {u64 fs, u64 net, u64 scoped}. */
function rulesetBytes(abi: number): number {
  if (abi >= SCOPES_SINCE) return 24;
  return abi >= TCP_SINCE ? 16 : 8;
}

function rulesetAttr(abi: number, handled: number, strict: boolean): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(handled), true);
  if (strict && abi >= TCP_SINCE) view.setBigUint64(8, TCP, true);
  if (abi >= SCOPES_SINCE) view.setBigUint64(16, SCOPES, true);
  return bytes;
}

/** struct landlock_path_beneath_attr, packed: {u64 allowed, s32 parent_fd}. */
function ruleSteps(path: string, rights: number, { ruleset, folder }: LandlockFds): Step[] {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(rights), true);
  view.setInt32(8, folder, true);
  return [
    { name: `open ${path}`, call: "openat", args: [c.AT_FDCWD, path, c.O_PATH | c.O_CLOEXEC, 0] },
    {
      name: `let Landlock allow ${path}`,
      call: "landlock_add_rule",
      args: [ruleset, c.LANDLOCK_RULE_PATH_BENEATH, bytes, 0],
    },
    { name: `close ${path}`, call: "close", args: [folder] },
  ];
}
