/** When and how often a job runs, and its labels, from the wire to the core and back. */
import { create } from "@bufbuild/protobuf";
import { EngineError } from "../../../core/errors.ts";
import type { JobSpec as CoreSpec, JobSpecInput, RetryCause } from "../../../core/jobs/spec.ts";
import type {
  MisfirePolicy as CoreMisfire,
  OverlapPolicy as CoreOverlap,
  RetryPolicy as CoreRetry,
  Schedule as CoreSchedule,
} from "../../../core/jobs/spec.ts";
import {
  type JobSpec,
  MisfirePolicy,
  OverlapPolicy,
  RetryOn,
  type RetryPolicy,
  RetryPolicySchema,
  type Schedule,
  ScheduleSchema,
} from "../../../proto/gen/joblet/v1/job_pb.ts";
import { durationFromMs, msFromDuration } from "./convert_time.ts";

const CAUSES: Readonly<Record<RetryCause, RetryOn>> = {
  exit: RetryOn.EXIT,
  signal: RetryOn.SIGNAL,
  out_of_memory: RetryOn.OUT_OF_MEMORY,
  lost: RetryOn.LOST,
  timeout: RetryOn.TIMEOUT,
};
const MISFIRES: Readonly<Record<CoreMisfire, MisfirePolicy>> = {
  run_once: MisfirePolicy.RUN_ONCE,
  skip: MisfirePolicy.SKIP,
};
const OVERLAPS: Readonly<Record<CoreOverlap, OverlapPolicy>> = {
  allow: OverlapPolicy.ALLOW,
  skip: OverlapPolicy.SKIP,
  replace: OverlapPolicy.REPLACE,
};

/** The key of a value of the wire. @throws {EngineError} kind "invalid" */
function keyOf<K extends string>(table: Readonly<Record<K, number>>, value: number, field: string): K {
  for (const key in table) if (table[key] === value) return key;
  throw new EngineError("invalid", `Cannot use ${field} ${value}: there is no such value`);
}

/** The part of a spec that says when, how often and under which labels a job runs. @throws {EngineError} kind "invalid" */
export function policyFromProto(spec: JobSpec): Pick<JobSpecInput, "labels" | "priority" | "retry" | "schedule"> {
  return {
    ...(Object.keys(spec.labels).length > 0 && { labels: spec.labels }),
    ...(spec.priority !== 0 && { priority: spec.priority }),
    ...(spec.retry && { retry: retryFromProto(spec.retry) }),
    ...(spec.schedule && { schedule: scheduleFromProto(spec.schedule) }),
  };
}

function retryFromProto({ limit, delay, on }: RetryPolicy): NonNullable<JobSpecInput["retry"]> {
  return {
    limit,
    ...(delay && { delayMs: msFromDuration(delay, "retry delay") }),
    on: on.map((cause) => keyOf(CAUSES, cause, "retry cause")),
  };
}

function scheduleFromProto(schedule: Schedule): NonNullable<JobSpecInput["schedule"]> {
  const { when, timeZone, misfire, overlap } = schedule;
  return {
    when,
    ...(timeZone !== "" && { timeZone }),
    ...(misfire !== MisfirePolicy.UNSPECIFIED && { misfire: keyOf(MISFIRES, misfire, "misfire policy") }),
    ...(overlap !== OverlapPolicy.UNSPECIFIED && { overlap: keyOf(OVERLAPS, overlap, "overlap policy") }),
  };
}

/** Sets the same part of a message. */
export function policyToProto(spec: CoreSpec, message: JobSpec): void {
  message.labels = { ...spec.labels };
  message.priority = spec.priority;
  if (spec.retry) message.retry = retryToProto(spec.retry);
  if (spec.schedule) message.schedule = scheduleToProto(spec.schedule);
}

function retryToProto({ limit, delayMs, on }: CoreRetry): RetryPolicy {
  return create(RetryPolicySchema, { limit, delay: durationFromMs(delayMs), on: on.map((cause) => CAUSES[cause]) });
}

function scheduleToProto(schedule: CoreSchedule): Schedule {
  const message = create(ScheduleSchema, { when: schedule.when, timeZone: schedule.timeZone });
  if (schedule.kind === "cron") {
    message.misfire = MISFIRES[schedule.misfire];
    message.overlap = OVERLAPS[schedule.overlap];
  }
  return message;
}
