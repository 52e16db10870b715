/**
 * The part of the cgroup v2 hierarchy that this engine manages:
 *
 *   <base>/supervisor      the server itself, if systemd delegated the base (DelegateSubgroup=supervisor)
 *   <base>/inits           every job's init: outside the job's limits, its kill and its out-of-memory group
 *   <base>/user-<name>     all jobs of one owner: the limits that hold for them together
 *   <base>/user-<name>/job-<id>    one job's program and all that it starts
 *
 * Earlier versions made `job-<id>` in the base itself; those jobs are found there.
 * Processes sit in leaves only: the kernel refuses controllers for the children of a cgroup that holds processes.
 */
import { EngineError } from "../errors.ts";
import { closeFd, constants, openFd, type Poller } from "../../ffi/mod.ts";
import { parseCoreList } from "../values/core_list.ts";
import type { WeightPlaces } from "./io_device.ts";
import { JobCgroup } from "./job_cgroup.ts";
import type { Controller, LimitWrite } from "./limits.ts";
import { findCgroup2, parseMountinfo, parseOwnCgroup } from "./mountinfo.ts";
import { UserCgroup } from "./user_cgroup.ts";
import { isUserFolder, userFolder } from "./user_folder.ts";

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

export interface TreeOptions {
  /** The writes for the limits of a user's folder. @default none */
  readonly userLimits?: (tree: CgroupTree, folder: string) => readonly LimitWrite[];
  /** Told where running jobs of a user could not be given their limits. */
  readonly onError?: (what: string, error: unknown) => void;
}

const JOB = "job-";

export class CgroupTree implements Disposable {
  /** fd of the cgroup that inits are born in. */
  readonly initsFd: number;
  /** Controllers that job cgroups have. */
  readonly controllers: ReadonlySet<Controller>;
  readonly #base: CgroupBase;
  readonly #poller: Poller;
  readonly #options: TreeOptions;
  readonly #users = new Map<string, UserCgroup>();

  /** Makes the folders and switches on the controllers that the host has. @throws {EngineError} kind "precondition" */
  constructor(base: CgroupBase, poller: Poller, options: TreeOptions = {}) {
    this.#base = base;
    this.#poller = poller;
    this.#options = options;
    try {
      this.controllers = prepare(base);
      this.initsFd = openFd(`${base.path}/inits`, constants.O_RDONLY | constants.O_DIRECTORY);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new EngineError("precondition", `Cannot set up the cgroup '${base.path}': ${reason}`, { cause });
    }
  }

  get path(): string {
    return this.#base.path;
  }

  /** Where it is told how weights for disks take effect. */
  get weightPlaces(): WeightPlaces {
    return { root: this.#base.chain[0]!, below: `${this.#base.path}/inits` };
  }

  /** The cores that jobs may run on. */
  readonly cores = (): readonly number[] =>
    parseCoreList(Deno.readTextFileSync(`${this.#base.path}/cpuset.cpus.effective`).trim());

  /** The cgroup that a job gets. @param owner empty: nobody's */
  job(id: string, owner = ""): JobCgroup {
    const user = this.#user(userFolder(owner));
    return new JobCgroup(`${user.path}/${JOB}${id}`, this.#poller, this.controllers, user);
  }

  /** The cgroup that a job has, also one that an earlier version made. */
  find(id: string, owner: string): JobCgroup {
    const flat = new JobCgroup(`${this.#base.path}/${JOB}${id}`, this.#poller, this.controllers);
    return flat.exists() ? flat : this.job(id, owner);
  }

  #user(folder: string): UserCgroup {
    const known = this.#users.get(folder);
    if (known) return known;
    const limits = () => this.#options.userLimits?.(this, folder) ?? [];
    const user = new UserCgroup(`${this.#base.path}/${folder}`, this.controllers, limits);
    this.#users.set(folder, user);
    return user;
  }

  /** All jobs that have a cgroup, by id. */
  jobs(): ReadonlyMap<string, JobCgroup> {
    const { path } = this.#base;
    const found = new Map<string, JobCgroup>();
    for (const id of jobIdsIn(path)) {
      found.set(id, new JobCgroup(`${path}/${JOB}${id}`, this.#poller, this.controllers));
    }
    for (const folder of this.#userFolders()) {
      const user = this.#user(folder);
      for (const id of jobIdsIn(user.path)) {
        found.set(id, new JobCgroup(`${user.path}/${JOB}${id}`, this.#poller, this.controllers, user));
      }
    }
    return found;
  }

  #userFolders(): string[] {
    return [...Deno.readDirSync(this.#base.path)].map(({ name }) => name).filter(isUserFolder);
  }

  /** Gives users whose jobs an earlier server left the limits of today, and removes the folders of those who have none. */
  takeOverUsers(): void {
    for (const folder of this.#userFolders()) {
      const user = this.#user(folder);
      if (user.tryRemove()) continue;
      try {
        user.prepare();
      } catch (error) {
        // No job of theirs starts until it succeeds: each start tries again, and fails if it must.
        this.#options.onError?.(`limit the running jobs in ${user.path}`, error);
      }
    }
  }

  /** Pids of all inits, also of those that an earlier server started. */
  initPids(): number[] {
    const text = Deno.readTextFileSync(`${this.#base.path}/inits/cgroup.procs`);
    return text.split("\n").filter((line) => line !== "").map(Number);
  }

  /** Frees the fd, and the folders too if no job runs on. */
  [Symbol.dispose](): void {
    closeFd(this.initsFd);
    for (const user of this.#users.values()) user.close();
    for (const folder of this.#userFolders()) this.#user(folder).tryRemove();
    if (this.jobs().size > 0 || this.initPids().length > 0 || this.#base.delegated) return;
    Deno.removeSync(`${this.#base.path}/inits`);
    Deno.removeSync(this.#base.path);
  }
}

function jobIdsIn(path: string): string[] {
  const names = [...Deno.readDirSync(path)].map(({ name }) => name);
  return names.filter((name) => name.startsWith(JOB)).map((name) => name.slice(JOB.length));
}

function prepare(base: CgroupBase): ReadonlySet<Controller> {
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
