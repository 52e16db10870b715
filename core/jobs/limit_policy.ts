/** What a server gives to jobs that name no limits, and the most that they may ask for: pure, plain values. */
import { EngineError } from "../errors.ts";
import { formatBytes } from "../values/bytes.ts";
import type { Limits, NumericLimit } from "./spec.ts";
import { NUMERIC_LIMITS } from "./validate_limits.ts";

/** Limits that are one number each; an absent one is not set. */
export type NumericLimits = Pick<Limits, NumericLimit>;

export interface LimitPolicy {
  /** What jobs get that name no limit. */
  readonly default: NumericLimits;
  /** The most that a job may ask for; also what it gets where there is no default. */
  readonly ceiling: NumericLimits;
}

/** All that a server's administrator says of the limits of jobs. */
export interface LimitPolicies extends LimitPolicy {
  /** What jobs get where nobody says anything, and only on hosts that can enforce it. */
  readonly builtIn: NumericLimits;
  /** By owner; what is absent there is as for all. */
  readonly users: ReadonlyMap<string, Partial<LimitPolicy>>;
}

/** What holds for a job without the limit. A ceiling above it is kept without any limit. */
const WITHOUT: NumericLimits = { cpuWeight: 100, ioWeight: 100, openFiles: 4096 };

/** Limits that stand for reads and writes alike, where the finer one is absent. */
const COARSE: { readonly [K in NumericLimit]?: NumericLimit } = {
  ioReadBytesPerSecond: "ioBytesPerSecond",
  ioWriteBytesPerSecond: "ioBytesPerSecond",
};

/** The policy for the jobs of one owner. */
export function policyOf(policies: LimitPolicies, owner: string): LimitPolicy {
  const own = policies.users.get(owner);
  if (!own) return policies;
  return {
    default: { ...policies.default, ...own.default },
    ceiling: { ...policies.ceiling, ...own.ceiling },
  };
}

/**
 * The limits that hold: those that were asked for, completed by the server's.
 * @param enforceable the built-in ones that this host can enforce
 * @throws {EngineError} kind "precondition" for one above its ceiling, which is told
 */
export function applyPolicy(asked: Limits, policy: LimitPolicy, enforceable: NumericLimits): Limits {
  const completed: Partial<Record<NumericLimit, number>> = {};
  for (const key of NUMERIC_LIMITS) {
    checkCeiling(key, asked, policy.ceiling);
    const value = asked[key] ?? unasked(key, asked, policy, enforceable);
    if (value !== undefined) completed[key] = value;
  }
  const { cpuCores, ioDevice } = asked;
  return { ...completed, ...(cpuCores && { cpuCores }), ...(ioDevice && { ioDevice }) };
}

function checkCeiling(key: NumericLimit, asked: Limits, ceiling: NumericLimits): void {
  const coarse = COARSE[key];
  const wanted = asked[key] ?? (coarse && asked[coarse]);
  const most = ceiling[key] ?? (coarse && ceiling[coarse]);
  if (wanted === undefined || most === undefined || wanted <= most) return;
  const flag = LIMIT_FLAGS[asked[key] === undefined && coarse ? coarse : key];
  throw new EngineError(
    "precondition",
    `Cannot run a job with ${flag} ${limitText(key, wanted)}: this server gives at most ${limitText(key, most)}`,
  );
}

/** What a job gets that did not ask for this limit. */
function unasked(key: NumericLimit, asked: Limits, policy: LimitPolicy, enforceable: NumericLimits) {
  const coarse = COARSE[key];
  // The job has said what it wants of both; a finer default would win over that.
  if (coarse && asked[coarse] !== undefined) return undefined;
  const most = policy.ceiling[key];
  const standard = policy.default[key];
  if (standard !== undefined) return most === undefined ? standard : Math.min(standard, most);
  const without = WITHOUT[key];
  if (most === undefined) return enforceable[key];
  if (without !== undefined) return without <= most ? undefined : most;
  return Math.min(most, enforceable[key] ?? most);
}

/** The flag of each limit, as messages name it. */
export const LIMIT_FLAGS: Readonly<Record<keyof Limits, string>> = {
  cpuPercent: "--max-cpu",
  cpuWeight: "--cpu-weight",
  cpuCores: "--cpu-cores",
  memoryBytes: "--max-memory",
  memoryHighBytes: "--memory-high",
  pids: "--max-pids",
  ioBytesPerSecond: "--max-iobps",
  ioReadBytesPerSecond: "--max-read-bps",
  ioWriteBytesPerSecond: "--max-write-bps",
  ioReadOpsPerSecond: "--max-read-iops",
  ioWriteOpsPerSecond: "--max-write-iops",
  ioWeight: "--io-weight",
  ioDevice: "--io-device",
  diskBytes: "--max-disk",
  diskInodes: "--max-disk-inodes",
  openFiles: "--max-open-files",
};

/** "50 %", "64 MiB", "1 MiB/s", "100". */
export function limitText(key: NumericLimit, value: number): string {
  if (key === "cpuPercent") return `${value} %`;
  if (/bytesPerSecond$/i.test(key)) return `${formatBytes(value)}/s`;
  return key.endsWith("Bytes") ? formatBytes(value) : String(value);
}
