/**
 * The part of the cgroup v2 hierarchy that this engine manages:
 *
 *   <base>/supervisor      the server itself, if systemd delegated the base (DelegateSubgroup=supervisor)
 *   <base>/inits           every job's init: outside the job's limits, its kill and its out-of-memory group
 *   <base>/jobs            all jobs: the limits that hold for them together
 *   <base>/jobs/user-<name>            all jobs of one owner: theirs
 *   <base>/jobs/user-<name>/job-<id>   one job's program and all that it starts
 *
 * Earlier versions made `job-<id>` or `user-<name>` in the base itself; those jobs are found there.
 * Processes sit in leaves only: the kernel refuses controllers for the children of a cgroup that holds processes.
 */
import { EngineError } from "../errors.ts";
import { closeFd, constants, openFd, type Poller } from "../../ffi/mod.ts";
import { parseCoreList } from "../values/core_list.ts";
import { type CgroupBase, prepareBase } from "./base.ts";
import type { WeightPlaces } from "./io_device.ts";
import { JobCgroup } from "./job_cgroup.ts";
import type { Controller, LimitWrite } from "./limits.ts";
import { SharedCgroup } from "./shared_cgroup.ts";
import { isUserFolder, userFolder } from "./user_folder.ts";

export interface TreeOptions {
  /** The writes for the limits of a user's folder, or of the one of all jobs. @default none */
  readonly sharedLimits?: (tree: CgroupTree, folder?: string) => readonly LimitWrite[];
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
  readonly #all: SharedCgroup;
  /** By path. */
  readonly #users = new Map<string, SharedCgroup>();

  /** Makes the folders and switches on the controllers that the host has. @throws {EngineError} kind "precondition" */
  constructor(base: CgroupBase, poller: Poller, options: TreeOptions = {}) {
    this.#base = base;
    this.#poller = poller;
    this.#options = options;
    try {
      this.controllers = prepareBase(base);
      this.#all = this.#shared(`${base.path}/jobs`, "the cgroup of all jobs");
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
    return this.#inUser(this.#user(userFolder(owner)), id);
  }

  #inUser(user: SharedCgroup, id: string): JobCgroup {
    return new JobCgroup(`${user.path}/${JOB}${id}`, this.#poller, this.controllers, user);
  }

  #inBase(id: string): JobCgroup {
    return new JobCgroup(`${this.#base.path}/${JOB}${id}`, this.#poller, this.controllers);
  }

  /** The cgroup that a job has, also one that an earlier version made. */
  find(id: string, owner: string): JobCgroup {
    const earlier = [this.#inBase(id), this.#inUser(this.#user(userFolder(owner), this.#base.path), id)];
    return earlier.find((job) => job.exists()) ?? this.job(id, owner);
  }

  #user(folder: string, parent = this.#all.path): SharedCgroup {
    const path = `${parent}/${folder}`;
    const known = this.#users.get(path);
    if (known) return known;
    const above = parent === this.#all.path ? this.#all : undefined;
    const user = this.#shared(path, "the cgroup of the job's user", folder, above);
    this.#users.set(path, user);
    return user;
  }

  #shared(path: string, where: string, folder?: string, parent?: SharedCgroup): SharedCgroup {
    const limits = () => this.#options.sharedLimits?.(this, folder) ?? [];
    return new SharedCgroup(path, { controllers: this.controllers, limits, where, ...(parent && { parent }) });
  }

  /** All jobs that have a cgroup, by id. */
  jobs(): ReadonlyMap<string, JobCgroup> {
    const found = new Map<string, JobCgroup>();
    for (const id of jobIdsIn(this.#base.path)) found.set(id, this.#inBase(id));
    for (const user of this.#foundUsers()) {
      for (const id of jobIdsIn(user.path)) found.set(id, this.#inUser(user, id));
    }
    return found;
  }

  #foundUsers(): SharedCgroup[] {
    return [this.#base.path, this.#all.path].flatMap((parent) =>
      namesIn(parent).filter(isUserFolder).map((folder) => this.#user(folder, parent))
    );
  }

  /** Gives jobs that an earlier server left the shared limits of today, and removes the folders of users who have none. */
  takeOverJobs(): void {
    const users = this.#foundUsers().filter((user) => !user.tryRemove());
    if (users.length === 0) return;
    for (const shared of [this.#all, ...users]) {
      try {
        shared.prepare();
      } catch (error) {
        // No job starts in it until it succeeds: each start tries again, and fails if it must.
        this.#options.onError?.(`limit the running jobs in ${shared.path}`, error);
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
    for (const user of [...this.#foundUsers(), this.#all]) user.tryRemove();
    if (this.jobs().size > 0 || this.initPids().length > 0 || this.#base.delegated) return;
    Deno.removeSync(`${this.#base.path}/inits`);
    Deno.removeSync(this.#base.path);
  }
}

function jobIdsIn(path: string): string[] {
  return namesIn(path).filter((name) => name.startsWith(JOB)).map((name) => name.slice(JOB.length));
}

/** Names in a folder; none if it is not there. */
function namesIn(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
