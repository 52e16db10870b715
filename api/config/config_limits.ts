/** The section `limits` of joblet-config.yml: what jobs get, what they may ask for, and what a user's jobs share. */
import * as v from "valibot";
import { EngineError } from "../../core/errors.ts";
import type { LimitPolicies, LimitPolicy, NumericLimits } from "../../core/jobs/limit_policy.ts";
import type { QueueLimits } from "../../core/jobs/queue.ts";
import type { NumericLimit } from "../../core/jobs/spec.ts";
import { parseLimits } from "../../core/jobs/validate_limits.ts";
import type { SharedLimitsConfig, TotalLimits } from "../../core/run/shared_limits.ts";
import { callerName } from "./config_auth.ts";
import { byteSize, safeInteger } from "./config_values.ts";

/** Keys that jobs together can be limited by. */
const RATES = {
  maxCpu: v.optional(safeInteger),
  maxMemory: v.optional(byteSize),
  memoryHigh: v.optional(byteSize),
  maxPids: v.optional(safeInteger),
  maxIobps: v.optional(byteSize),
  maxReadBps: v.optional(byteSize),
  maxWriteBps: v.optional(byteSize),
  maxReadIops: v.optional(safeInteger),
  maxWriteIops: v.optional(safeInteger),
};

/** Weights compare a user's jobs with those of others; all jobs together have nothing to be compared with. */
const SHARED = {
  ...RATES,
  cpuWeight: v.optional(safeInteger),
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
  maxQueued: v.optional(safeInteger),
  maxDisk: v.optional(v.pipe(byteSize, v.minValue(1024 * 1024, "must be at least 1M"))),
});

const PERCENT_WANTED = "must be from 10 to 1000";

export const LimitsSection = v.optional(
  v.strictObject({
    default: v.optional(Job, {}),
    ceiling: v.optional(Job, {}),
    all: v.optional(v.strictObject(RATES), {}),
    user: v.optional(Total, {}),
    users: v.optional(
      v.record(
        callerName,
        v.strictObject({ default: v.optional(Job), ceiling: v.optional(Job), total: v.optional(Total) }),
        "must be a mapping",
      ),
      {},
    ),
    memoryMaxPercent: v.optional(
      v.pipe(safeInteger, v.minValue(10, PERCENT_WANTED), v.maxValue(1000, PERCENT_WANTED)),
    ),
  }),
  {},
);

type Section = v.InferOutput<typeof LimitsSection>;
type JobKeys = v.InferOutput<typeof Job>;
type TotalKeys = v.InferOutput<typeof Total>;

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

export function sharedLimitsOf(section: Section): SharedLimitsConfig {
  const total = (keys: TotalKeys, where: string): TotalLimits => {
    // These are the queue's, see quotasOf.
    const { maxJobs: _jobs, maxQueued: _queued, maxDisk: _disk, ...shared } = keys;
    return limitsOf(shared, where);
  };
  const own = Object.entries(section.users).flatMap(([owner, user]) =>
    user.total ? [[owner, total(user.total, `limits.users.${owner}.total`)] as const] : []
  );
  return { all: limitsOf(section.all, "limits.all"), user: total(section.user, "limits.user"), users: new Map(own) };
}

/**
 * What the queue bounds for each owner; an absent number is no bound.
 * @param standardDiskBytes disk of a job that names none
 */
export function quotasOf({ user, users }: Section, standardDiskBytes: number): Partial<Pick<QueueLimits, QuotaKeys>> {
  const own = (key: "maxJobs" | "maxQueued" | "maxDisk") =>
    new Map(
      Object.entries(users).flatMap(([owner, { total }]) => {
        const value = total?.[key];
        return value === undefined ? [] : [[owner, value] as const];
      }),
    );
  const [jobs, queued, disk] = [own("maxJobs"), own("maxQueued"), own("maxDisk")];
  return {
    ...(user.maxJobs !== undefined && { maxRunningPerOwner: user.maxJobs }),
    ...(jobs.size > 0 && { maxRunningOf: jobs }),
    ...(user.maxQueued !== undefined && { maxWaitingPerOwner: user.maxQueued }),
    ...(queued.size > 0 && { maxWaitingOf: queued }),
    ...((user.maxDisk !== undefined || disk.size > 0) && {
      disk: { standardBytes: standardDiskBytes, ...(user.maxDisk !== undefined && { all: user.maxDisk }), of: disk },
    }),
  };
}

type QuotaKeys = "maxRunningPerOwner" | "maxRunningOf" | "maxWaitingOf" | "disk" | "maxWaitingPerOwner";
