/** The job worker service's messages, from and to the core's. */
import { create } from "@bufbuild/protobuf";
import { EngineError } from "../../../core/errors.ts";
import type { Job, JobStateName } from "../../../core/jobs/job.ts";
import type { JobSpecInput, LimitsInput } from "../../../core/jobs/spec.ts";
import { cpuSharesToWeight } from "../../../core/values/cpu_weight.ts";
import {
  JobStatus,
  type JobStatusResponse,
  JobStatusResponseSchema,
  type ResourceLimits,
  ResourceUsageSchema,
  type StartJobRequest,
  type StopJobResponse,
  StopJobResponseSchema,
} from "../../../proto/gen/jobworker/jobworker_pb.ts";
import { timestampFromMs } from "../joblet_v1/convert_time.ts";

const NS_PER_MS = 1_000_000;

const STATUSES: Readonly<Record<JobStateName, JobStatus>> = {
  pending: JobStatus.PENDING,
  scheduled: JobStatus.PENDING,
  initializing: JobStatus.PENDING,
  running: JobStatus.RUNNING,
  stopping: JobStatus.RUNNING,
  completed: JobStatus.COMPLETED,
  failed: JobStatus.FAILED,
  timeout: JobStatus.FAILED,
  lost: JobStatus.FAILED,
  stopped: JobStatus.STOPPED,
  canceled: JobStatus.STOPPED,
};

export function statusOf(job: Job): JobStatus {
  return STATUSES[job.status.state];
}

/** Not checked yet. @throws {EngineError} kind "invalid" for CPU shares out of range */
export function inputOf({ command, args, resourceLimits }: StartJobRequest): JobSpecInput {
  return { command, args, ...(resourceLimits && { limits: limitsOf(resourceLimits) }) };
}

function limitsOf({ cpuShares, memoryLimitBytes, ioWeight }: ResourceLimits): LimitsInput {
  return {
    ...(cpuShares !== 0n && { cpuWeight: weightOf(cpuShares) }),
    ...(memoryLimitBytes !== 0n && { memoryBytes: memoryLimitBytes }),
    ...(ioWeight !== 0n && { ioWeight }),
  };
}

function weightOf(shares: bigint): number {
  try {
    return cpuSharesToWeight(Number(shares));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new EngineError("invalid", cause.message, { cause });
  }
}

/** @param job with what it uses, if it runs */
export function statusResponse(job: Job): JobStatusResponse {
  const message = create(JobStatusResponseSchema, { status: statusOf(job) });
  const usage = "usage" in job.status ? job.status.usage : undefined;
  if (!usage) return message;
  const { cpuUserMs = 0, cpuSystemMs = 0, memoryBytes, memoryPeakBytes = 0, ioReadBytes = 0, ioWriteBytes = 0 } = usage;
  message.resourceUsage = create(ResourceUsageSchema, {
    cpuUsage: BigInt(Math.round((cpuUserMs + cpuSystemMs) * NS_PER_MS)),
    memoryUsage: BigInt(memoryBytes ?? memoryPeakBytes),
    ioUsage: BigInt(ioReadBytes + ioWriteBytes),
  });
  return message;
}

export function stopResponse(job: Job): StopJobResponse {
  const { status } = job;
  const message = create(StopJobResponseSchema, { id: job.id, status: statusOf(job) });
  if ("startedAt" in status && status.startedAt) message.startTime = timestampFromMs(status.startedAt.getTime());
  if ("endedAt" in status) message.stopTime = timestampFromMs(status.endedAt.getTime());
  return message;
}
