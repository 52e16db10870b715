/** Which limits this host can enforce, and by which writes. */
import { ioWeightFile, namedDisk, wholeDiskOf } from "../cgroup/io_device.ts";
import { asFlag, firstIoLimit, type IoTarget, type LimitName, type LimitWrite, limitWrites } from "../cgroup/limits.ts";
import { KILL_AS_ONE, neededControllers, requireControllers } from "../cgroup/limits.ts";
import { EngineError } from "../errors.ts";
import { LIMIT_FLAGS } from "../jobs/limit_policy.ts";
import type { Limits } from "../jobs/spec.ts";
import { formatCoreList } from "../values/core_list.ts";
import { killLimit } from "./kill_limit.ts";
import type { RunParts } from "./parts.ts";

type HostParts = Pick<RunParts, "tree" | "diskFolder" | "alter" | "shared" | "memoryMaxPercent">;
type NameOf = (key: keyof Limits) => LimitName;

/** Whether the host has the controllers that these limits need. */
export function supportsLimits({ tree }: HostParts, limits: Limits): boolean {
  return neededControllers(limits).every((controller) => tree.controllers.has(controller));
}

/**
 * Refuses limits that this host can't enforce.
 * @param asked those that the caller named; the others are the server's own
 * @throws {EngineError} kind "precondition" or, for a disk that is none, "invalid"
 */
export function checkLimits(parts: HostParts, limits: Limits, asked: Limits, owner: string): void {
  const nameOf: NameOf = (key) => asked[key] === undefined ? asDefault(key) : asFlag(key);
  requireControllers(limits, parts.tree.controllers, nameOf);
  checkCores(limits, parts.tree.cores);
  ioTarget(parts, limits, nameOf);
  parts.shared.check(parts.tree, owner);
}

/** A limit that the job has from the server. */
function asDefault(key: keyof Limits): LimitName {
  const name = `${LIMIT_FLAGS[key]}, which this server sets for jobs that name none`;
  return { name, without: "take the limit out of joblet-config.yml" };
}

function checkCores({ cpuCores }: Limits, readCores: () => readonly number[]): void {
  if (cpuCores === undefined) return;
  const present = readCores();
  const missing = cpuCores.filter((core) => !present.includes(core));
  if (missing.length === 0) return;
  throw new EngineError(
    "precondition",
    `Cannot enforce --cpu-cores ${formatCoreList(cpuCores)}: jobs on this host have the cores ${
      formatCoreList(present)
    }`,
  );
}

/** The writes that enforce a job's limits. @throws {EngineError} as `checkLimits` */
export function jobWrites(parts: HostParts, limits: Limits, owner: string): readonly LimitWrite[] {
  const writes = limitWrites(killLimit(limits, parts.memoryMaxPercent), ioTarget(parts, limits, asFlag));
  // Where memory is limited for several jobs together, it is this one that may be killed for it.
  const total = parts.shared.ofOwner(owner).memoryBytes ?? parts.shared.all.memoryBytes;
  if (total !== undefined && limits.memoryBytes === undefined) writes.push(KILL_AS_ONE);
  return parts.alter.limits?.(writes) ?? writes;
}

function ioTarget({ tree, diskFolder }: HostParts, limits: Limits, nameOf: NameOf): IoTarget | undefined {
  const first = firstIoLimit(limits);
  if (first === undefined) return undefined;
  const { ioDevice, ioWeight } = limits;
  const device = ioDevice === undefined ? wholeDiskOf(diskFolder, nameOf(first).name) : namedDisk(ioDevice);
  if (ioWeight === undefined) return { device };
  return { device, weightFile: ioWeightFile(device, ioWeight, tree.weightPlaces, nameOf("ioWeight").name) };
}
