/** Where in the cgroup v2 hierarchy an engine has its cgroups. */
import { EngineError } from "../errors.ts";
import type { Controller } from "./limits.ts";
import { findCgroup2, parseMountinfo, parseOwnCgroup } from "./mountinfo.ts";

const WANTED: readonly Controller[] = ["cpu", "memory", "io", "cpuset", "pids"];

/** Where the base is and which parents lead to it, from the hierarchy's root on. */
export interface CgroupBase {
  readonly path: string;
  /** Folders whose subtree_control must let controllers through, top down, the base included. */
  readonly chain: readonly string[];
  /** The base is systemd's, which removes it. */
  readonly delegated: boolean;
}

/**
 * Finds the base: a service's own cgroup only if systemd has put the server into a leaf of it. Without that (systemd before
 * 254) a restart would fail, as systemd could not put the new server into a cgroup whose children have controllers.
 * @param configured absolute path from the configuration, which wins
 * @param name folder name below `<root>/joblet` when nothing is configured or delegated
 * @throws {EngineError} kind "precondition" if the host has no cgroup v2
 */
export function findBase(mountinfo: string, ownCgroup: string, name: string, configured?: string): CgroupBase {
  const mount = findCgroup2(parseMountinfo(mountinfo));
  if (!mount) {
    throw new EngineError(
      "precondition",
      "Cannot find cgroup v2: mount it with 'mount -t cgroup2 none /sys/fs/cgroup'",
    );
  }
  const root = mount.mountPoint;
  const service = /^(.*\/joblet[^/]*\.service)\/supervisor$/.exec(parseOwnCgroup(ownCgroup) ?? "")?.[1];
  const delegated = service === undefined ? undefined : `${root}${service}`;
  const path = configured ?? delegated ?? `${root}/joblet/${name}`;
  if (!path.startsWith(`${root}/`)) {
    throw new EngineError("precondition", `Cannot use cgroup.baseDir '${path}': it must lie below '${root}'`);
  }
  const parts = path.slice(root.length + 1).split("/");
  const chain = [root, ...parts.map((_, index) => `${root}/${parts.slice(0, index + 1).join("/")}`)];
  return { path, chain, delegated: path === delegated };
}

/** Makes its folders and lets controllers through to them. @returns those that jobs have */
export function prepareBase(base: CgroupBase): ReadonlySet<Controller> {
  Deno.mkdirSync(`${base.path}/inits`, { recursive: true });
  for (const folder of base.chain) enableControllers(folder);
  return new Set(listControllers(`${base.path}/cgroup.subtree_control`));
}

/** Lets each wanted controller through to the folder's children; one that can't is absent for jobs, so limits refuse. */
function enableControllers(folder: string): void {
  const enabled = listControllers(`${folder}/cgroup.subtree_control`);
  for (const controller of listControllers(`${folder}/cgroup.controllers`)) {
    if (enabled.includes(controller)) continue;
    try {
      Deno.writeTextFileSync(`${folder}/cgroup.subtree_control`, `+${controller}`, { create: false });
    } catch (error) {
      // EBUSY: the folder holds processes. EPERM, ENOENT: not delegated to us. The controller then stays absent below,
      // which `requireControllers` reports to the job that asks for it.
      if (!(error instanceof Error && "code" in error)) throw error;
    }
  }
}

function listControllers(file: string): Controller[] {
  const present = Deno.readTextFileSync(file).trim().split(" ");
  return WANTED.filter((controller) => present.includes(controller));
}
