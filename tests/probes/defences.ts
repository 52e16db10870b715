/** A sandbox's defences by name, and how each is switched off: the one place that knows the names of steps. */
import { constants as c } from "../../ffi/mod.ts";
import type { Alterations } from "../../core/run/parts.ts";
import type { Plan } from "../../core/sandbox/plan.ts";
import type { Step } from "../../core/sandbox/step.ts";
import { deviceNumbers } from "../../core/cgroup/io_device.ts";
import { before, changed, dropped, plans } from "./alter.ts";
import type { Twin } from "./probe.ts";

type PlanChange = (plan: Plan) => Plan;

const also = (...changes: PlanChange[]): PlanChange => (plan) => changes.reduce((so, change) => change(so), plan);

/** Init's steps before its last mounts: it is root of the host there, in the job's root and namespaces. */
const early = (...steps: Step[]): PlanChange => before(/^mount proc on/, ...steps);

const mount = (kind: string, target: string, options: string | number = 0): Step => ({
  name: `mount ${kind} on /${target}`,
  call: "mount",
  args: [kind, target, kind, 0, options],
});

/** struct mount_attr that clears MOUNT_ATTR_NOSUID. */
const ALLOW_SETUID = new Uint8Array(new BigUint64Array([0n, 2n, 0n, 0n]).buffer);

/** The guest's disk, where the server's home lies. */
const DISK = { path: "run/disk", root: "run/host" } as const;

function diskSteps(): Step[] {
  const { major, minor } = deviceNumbers(Deno.statSync("/disk").dev);
  return [
    mount("tmpfs", "run"),
    { name: "make a device", call: "mknodat", args: [c.AT_FDCWD, DISK.path, 0o60600, (major << 8) | minor] },
    { name: "make a folder", call: "mkdirat", args: [c.AT_FDCWD, DISK.root, 0o755] },
    { name: "mount the host's disk", call: "mount", args: [DISK.path, DISK.root, "ext4", 0, 0] },
  ];
}

const DEFENCES = {
  seccomp: dropped(/^filter system calls/),
  capabilities: also(dropped(/^drop (all )?capabilit/), dropped(/ambient/), dropped(/^lock the secure bits/)),
  "unprivileged user": also(dropped(/^become (user|group)/), dropped(/^leave all groups/)),
  "user namespace": dropped(/user namespace$/),
  Landlock: dropped(/^restrict by Landlock/),
  "no new privileges": dropped(/new privileges/),
  "masked /proc": also(dropped(/^mask \/proc/), dropped(/^make \/proc.* read-only/)),
  "hidden processes": changed(/^mount proc/, (args) => [...args.slice(0, 4), 0]),
  "own /dev": early(mount("devtmpfs", "dev")),
  "nosuid on programs": early({
    name: "allow setuid in /usr",
    call: "mount_setattr",
    args: [c.AT_FDCWD, "usr", c.AT_RECURSIVE, ALLOW_SETUID, ALLOW_SETUID.length],
  }),
  "closed files": dropped(/^hide other files/),
  "no core dumps": dropped(/core dumps/),
  "no host files": (plan: Plan) => early(...diskSteps())(plan),
  "no cgroup file system": early(mount("cgroup2", "run", "nsdelegate")),
  "cgroup namespace": dropped(/cgroup namespace/),
} satisfies Readonly<Record<string, PlanChange>>;

export type Defence = keyof typeof DEFENCES;

/** Sandboxes without these defences. */
export function switchedOff(...defences: readonly Defence[]): Alterations {
  return plans(...defences.map((name) => DEFENCES[name]));
}

/** A twin without these defences. */
export function without(...defences: readonly Defence[]): Twin & { readonly off: string } {
  return { off: defences.join(", "), alter: switchedOff(...defences) };
}

/** All that stands between a job and root's powers over its host. */
export const PRIVILEGES: readonly Defence[] = [
  "seccomp",
  "capabilities",
  "unprivileged user",
  "user namespace",
  "Landlock",
];
