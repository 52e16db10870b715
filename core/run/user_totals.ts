/** Limits of all running jobs of one user together: those of the cgroup that holds them. */
import { ioWeightFile, wholeDiskOf } from "../cgroup/io_device.ts";
import { firstIoLimit, type LimitName, type LimitWrite, limitWrites, requireControllers } from "../cgroup/limits.ts";
import type { CgroupTree } from "../cgroup/tree.ts";
import { userFolder } from "../cgroup/user_folder.ts";
import type { NumericLimits } from "../jobs/limit_policy.ts";
import { LIMIT_FLAGS } from "../jobs/limit_policy.ts";
import type { Limits } from "../jobs/spec.ts";

/** Limits of one user's jobs together; an absent one is not set. */
export type TotalLimits = Omit<NumericLimits, "diskBytes" | "diskInodes" | "openFiles">;

export interface UserTotalsConfig {
  readonly all: TotalLimits;
  /** By owner; what is absent there is as for all. */
  readonly of: ReadonlyMap<string, TotalLimits>;
}

export class UserTotals {
  readonly #all: TotalLimits;
  /** By the name of the cgroup folder, which is all that is known of jobs that an earlier server left. */
  readonly #byFolder: ReadonlyMap<string, TotalLimits>;
  readonly #diskFolder: string;

  /** @param diskFolder a folder on the disk that I/O limits are for */
  constructor({ all, of }: UserTotalsConfig, diskFolder: string) {
    this.#all = all;
    this.#byFolder = new Map([...of].map(([owner, own]) => [userFolder(owner), { ...all, ...own }]));
    this.#diskFolder = diskFolder;
  }

  /** The limits of the jobs in a user's folder. */
  of(folder: string): TotalLimits {
    return this.#byFolder.get(folder) ?? this.#all;
  }

  /** Refuses a job whose user's limits this host can't enforce. @throws {EngineError} kind "precondition" */
  check(tree: CgroupTree, owner: string): void {
    const folder = userFolder(owner);
    requireControllers(this.of(folder), tree.controllers, nameOf);
    this.writes(tree, folder);
  }

  /** The writes that enforce them. @throws {EngineError} kind "precondition" */
  writes(tree: CgroupTree, folder: string): readonly LimitWrite[] {
    const limits = this.of(folder);
    const first = firstIoLimit(limits);
    if (first === undefined) return withoutGroup(limitWrites(limits));
    const device = wholeDiskOf(this.#diskFolder, nameOf(first).name);
    const { ioWeight } = limits;
    if (ioWeight === undefined) return withoutGroup(limitWrites(limits, { device }));
    const weightFile = ioWeightFile(device, ioWeight, tree.weightPlaces, nameOf("ioWeight").name);
    return withoutGroup(limitWrites(limits, { device, weightFile }));
  }
}

/** Where the jobs of a user want too much together, one of them dies, not all. */
function withoutGroup(writes: readonly LimitWrite[]): readonly LimitWrite[] {
  return writes.filter(({ file }) => file !== "memory.oom.group");
}

function nameOf(key: keyof Limits): LimitName {
  return {
    name: `${LIMIT_FLAGS[key]} for all jobs of one user together, as this server's 'limits.user' says`,
    without: "take the limit out of joblet-config.yml",
  };
}
