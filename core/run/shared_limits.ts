/** Limits that running jobs share: those of one user, and all. The cgroups that hold them enforce these. */
import { ioWeightFile, wholeDiskOf } from "../cgroup/io_device.ts";
import { firstIoLimit, type LimitName, type LimitWrite, limitWrites, requireControllers } from "../cgroup/limits.ts";
import type { CgroupTree } from "../cgroup/tree.ts";
import { userFolder } from "../cgroup/user_folder.ts";
import type { NumericLimits } from "../jobs/limit_policy.ts";
import { LIMIT_FLAGS } from "../jobs/limit_policy.ts";
import type { Limits } from "../jobs/spec.ts";

/** Limits of several jobs together; an absent one is not set. */
export type TotalLimits = Omit<NumericLimits, "diskBytes" | "diskInodes" | "openFiles">;

export interface SharedLimitsConfig {
  /** Of all jobs. */
  readonly all: TotalLimits;
  /** Of the jobs of each user. */
  readonly user: TotalLimits;
  /** By owner; what is absent there is as for each user. */
  readonly users: ReadonlyMap<string, TotalLimits>;
}

type NameOf = (key: keyof Limits) => LimitName;

export class SharedLimits {
  readonly all: TotalLimits;
  readonly #user: TotalLimits;
  /** By the name of the cgroup folder, which is all that is known of jobs that an earlier server left. */
  readonly #byFolder: ReadonlyMap<string, TotalLimits>;
  readonly #diskFolder: string;

  /** @param diskFolder a folder on the disk that I/O limits are for */
  constructor({ all, user, users }: SharedLimitsConfig, diskFolder: string) {
    this.all = all;
    this.#user = user;
    this.#byFolder = new Map([...users].map(([owner, own]) => [userFolder(owner), { ...user, ...own }]));
    this.#diskFolder = diskFolder;
  }

  /** The limits of the jobs of one owner. */
  ofOwner(owner: string): TotalLimits {
    return this.#ofFolder(userFolder(owner));
  }

  #ofFolder(folder: string): TotalLimits {
    return this.#byFolder.get(folder) ?? this.#user;
  }

  /** Refuses a job whose shared limits this host can't enforce. @throws {EngineError} kind "precondition" */
  check(tree: CgroupTree, owner: string): void {
    const folder = userFolder(owner);
    requireControllers(this.all, tree.controllers, nameForAll);
    requireControllers(this.#ofFolder(folder), tree.controllers, nameForUser);
    this.writes(tree);
    this.writes(tree, folder);
  }

  /**
   * The writes that enforce them.
   * @param folder a user's. @default that of all jobs
   * @throws {EngineError} kind "precondition"
   */
  writes(tree: CgroupTree, folder?: string): readonly LimitWrite[] {
    const writes = folder === undefined
      ? this.#writes(tree, this.all, nameForAll)
      : this.#writes(tree, this.#ofFolder(folder), nameForUser);
    // Where jobs want too much together, one of them dies, not all.
    return writes.filter(({ file }) => file !== "memory.oom.group");
  }

  #writes(tree: CgroupTree, limits: TotalLimits, nameOf: NameOf): readonly LimitWrite[] {
    const first = firstIoLimit(limits);
    if (first === undefined) return limitWrites(limits);
    const device = wholeDiskOf(this.#diskFolder, nameOf(first).name);
    const { ioWeight } = limits;
    if (ioWeight === undefined) return limitWrites(limits, { device });
    const weightFile = ioWeightFile(device, ioWeight, tree.weightPlaces, nameOf("ioWeight").name);
    return limitWrites(limits, { device, weightFile });
  }
}

const without = "take the limit out of joblet-config.yml";

function nameForUser(key: keyof Limits): LimitName {
  return {
    name: `${LIMIT_FLAGS[key]} for all jobs of one user together, as this server's 'limits.user' says`,
    without,
  };
}

function nameForAll(key: keyof Limits): LimitName {
  return { name: `${LIMIT_FLAGS[key]} for all jobs together, as this server's 'limits.all' says`, without };
}
