/** The section `limits` of joblet-config.yml: what jobs get, what they may ask for, and what a user's jobs share. */
import * as v from "valibot";
import { EngineError } from "../core/errors.ts";
import type { LimitPolicies, LimitPolicy, NumericLimits } from "../core/jobs/limit_policy.ts";
import type { QueueLimits } from "../core/jobs/queue.ts";
import type { NumericLimit } from "../core/jobs/spec.ts";
import { parseLimits } from "../core/jobs/validate_limits.ts";
import type { TotalLimits, UserTotalsConfig } from "../core/run/user_totals.ts";
import { byteSize, safeInteger } from "./config_values.ts";

/** Keys that a user's jobs together can be limited by. */
const SHARED = {
  maxCpu: v.optional(safeInteger),
  cpuWeight: v.optional(safeInteger),
  maxMemory: v.optional(byteSize),
  memoryHigh: v.optional(byteSize),
  maxPids: v.optional(safeInteger),
  maxIobps: v.optional(byteSize),
  maxReadBps: v.optional(byteSize),
  maxWriteBps: v.optional(byteSize),
  maxReadIops: v.optional(safeInteger),
  maxWriteIops: v.optional(safeInteger),
  ioWeight: v.optional(safeInteger),
};

const Job = v.strictObject({
  ...SHARED,
  maxDisk: v.optional(byteSize),
  maxDiskInodes: v.optional(safeInteger),
  maxOpenFiles: v.optional(safeInteger),
});

const Total = v.strictObject({
  ...SHARED,
  maxJobs: v.optional(v.pipe(safeInteger, v.minValue(1, "must be at least 1"))),
});

export const LimitsSection = v.optional(
  v.strictObject({
    default: v.optional(Job, {}),
    ceiling: v.optional(Job, {}),
    user: v.optional(Total, {}),
    users: v.optional(
      v.record(
        v.string(),
        v.strictObject({ default: v.optional(Job), ceiling: v.optional(Job), total: v.optional(Total) }),
        "must be a mapping",
      ),
      {},
    ),
  }),
  {},
);

type Section = v.InferOutput<typeof LimitsSection>;
type JobKeys = v.InferOutput<typeof Job>;

const FIELDS: Readonly<Record<keyof JobKeys, NumericLimit>> = {
  maxCpu: "cpuPercent",
  cpuWeight: "cpuWeight",
  maxMemory: "memoryBytes",
  memoryHigh: "memoryHighBytes",
  maxPids: "pids",
  maxIobps: "ioBytesPerSecond",
  maxReadBps: "ioReadBytesPerSecond",
  maxWriteBps: "ioWriteBytesPerSecond",
  maxReadIops: "ioReadOpsPerSecond",
  maxWriteIops: "ioWriteOpsPerSecond",
  ioWeight: "ioWeight",
  maxDisk: "diskBytes",
  maxDiskInodes: "diskInodes",
  maxOpenFiles: "openFiles",
};

/** @throws {EngineError} kind "invalid" for a value out of the bounds of its limit */
function limitsOf(keys: JobKeys, where: string): NumericLimits {
  const given: Partial<Record<NumericLimit, number>> = {};
  for (const [key, field] of Object.entries(FIELDS)) {
    const value = keys[key as keyof JobKeys];
    if (value === undefined) continue;
    // One by one, so that the message can name the key.
    try {
      parseLimits({ [field]: value });
    } catch (error) {
      if (error instanceof EngineError) throw new EngineError("invalid", `key '${where}.${key}': ${error.message}`);
      throw error;
    }
    given[field] = value;
  }
  return given;
}

/** @param before what older keys say; this section wins */
export function limitPoliciesOf(section: Section, before: NumericLimits, builtIn: NumericLimits): LimitPolicies {
  const users = Object.entries(section.users).map(([owner, { default: standard, ceiling }]) => {
    const at = `limits.users.${owner}`;
    const own: Partial<LimitPolicy> = {
      ...(standard && { default: limitsOf(standard, `${at}.default`) }),
      ...(ceiling && { ceiling: limitsOf(ceiling, `${at}.ceiling`) }),
    };
    return [owner, own] as const;
  });
  return {
    default: { ...before, ...limitsOf(section.default, "limits.default") },
    ceiling: limitsOf(section.ceiling, "limits.ceiling"),
    builtIn,
    users: new Map(users),
  };
}

export function userTotalsOf(section: Section): UserTotalsConfig {
  const total = ({ maxJobs: _, ...keys }: v.InferOutput<typeof Total>, where: string): TotalLimits =>
    limitsOf(keys, where);
  const own = Object.entries(section.users).flatMap(([owner, user]) =>
    user.total ? [[owner, total(user.total, `limits.users.${owner}.total`)] as const] : []
  );
  return { all: total(section.user, "limits.user"), of: new Map(own) };
}

/** Jobs of one owner that run at once; an absent number is no bound. */
export function maxJobsOf(section: Section): Pick<QueueLimits, "maxRunningPerOwner" | "maxRunningOf"> {
  const { user: { maxJobs }, users } = section;
  const own = Object.entries(users).flatMap(([owner, { total }]) =>
    total?.maxJobs === undefined ? [] : [[owner, total.maxJobs] as const]
  );
  return {
    ...(maxJobs !== undefined && { maxRunningPerOwner: maxJobs }),
    ...(own.length > 0 && { maxRunningOf: new Map(own) }),
  };
}
