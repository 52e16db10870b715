/** A job for programs. */
import type { Attempt, Job, Limits, ResourceUsage, Schedule } from "../../proto/gen/joblet/v1/job_pb.ts";
import { MISFIRE, OVERLAP, policyName, RETRY_ON } from "./policy.ts";
import { reasonName, stateName } from "./state.ts";
import { isoTime, toMs } from "./times.ts";

/** The job as JSON: snake_case keys, sizes in bytes, times in RFC 3339, null for what is not set. */
export function jobJson(job: Job): Record<string, unknown> {
  const { spec } = job;
  const retry = spec?.retry;
  return {
    id: job.id,
    name: spec?.name ?? "",
    owner: job.owner,
    labels: spec?.labels ?? {},
    status: stateName(job.state),
    ...endJson(job),
    end_detail: job.endDetail || null,
    command: spec?.command ?? "",
    args: spec?.args ?? [],
    env: spec?.env ?? {},
    workdir: spec?.workdir ?? "",
    network: spec?.network ?? "",
    ...limitsJson(spec?.limits),
    timeout_seconds: spec?.timeout ? toMs(spec.timeout) / 1000 : null,
    priority: spec?.priority ?? 0,
    retries: retry?.limit ?? 0,
    retry_delay_seconds: retry?.delay ? toMs(retry.delay) / 1000 : null,
    retry_on: (retry?.on ?? []).map((on) => policyName(RETRY_ON, on)),
    schedule: scheduleJson(spec?.schedule),
    scheduled_time: isoTime(job.scheduledAt),
    scheduled_by: job.scheduledBy || null,
    waiting_for: job.waitingFor || null,
    created_at: isoTime(job.createdAt),
    start_time: isoTime(job.startedAt),
    end_time: isoTime(job.endedAt),
    attempt: job.attempt,
    attempts: job.earlierAttempts.map(attemptJson),
    start_failure: job.startFailure
      ? { step: job.startFailure.step, errno: job.startFailure.errno, message: job.startFailure.message }
      : null,
    usage: usageJson(job.usage),
  };
}

function endJson({ endReason, exitCode, signal }: Job | Attempt) {
  return { reason: reasonName(endReason) || null, exit_code: exitCode ?? null, signal: signal ?? null };
}

function limitsJson(limits: Limits | undefined) {
  return {
    max_cpu: limits?.cpuPercent ?? null,
    max_memory: limits?.memoryBytes === undefined ? null : Number(limits.memoryBytes),
    max_iobps: limits?.ioBytesPerSecond === undefined ? null : Number(limits.ioBytesPerSecond),
    cpu_cores: limits?.cpuCores || null,
  };
}

function scheduleJson(schedule: Schedule | undefined) {
  if (!schedule) return null;
  const { when, timeZone, misfire, overlap } = schedule;
  return {
    when,
    time_zone: timeZone || "UTC",
    misfire: policyName(MISFIRE, misfire),
    overlap: policyName(OVERLAP, overlap),
  };
}

function attemptJson(attempt: Attempt, index: number) {
  return {
    attempt: index + 1,
    ...endJson(attempt),
    start_time: isoTime(attempt.startedAt),
    end_time: isoTime(attempt.endedAt),
    usage: usageJson(attempt.usage),
  };
}

function usageJson(usage: ResourceUsage | undefined) {
  return {
    cpu_user_seconds: usage?.cpuUser ? toMs(usage.cpuUser) / 1000 : null,
    cpu_system_seconds: usage?.cpuSystem ? toMs(usage.cpuSystem) / 1000 : null,
    memory_peak_bytes: usage?.memoryPeakBytes === undefined ? null : Number(usage.memoryPeakBytes),
  };
}
