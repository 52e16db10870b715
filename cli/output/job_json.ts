/** A job for programs. */
import type { Attempt, Job, Schedule } from "../../proto/gen/joblet/v1/job_pb.ts";
import { limitsJson } from "./limits.ts";
import { MISFIRE, OVERLAP, policyName, RETRY_ON } from "./policy.ts";
import { reasonName, stateName } from "./state.ts";
import { isoTime, toMs } from "./times.ts";
import { usageJson } from "./usage.ts";

/** User id of a job that names none. */
const DEFAULT_UID = 1000;

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
    secret_env: Object.keys(spec?.secretEnv ?? {}),
    secret_files: Object.keys(spec?.secretFiles ?? {}),
    workdir: spec?.workdir ?? "",
    network: spec?.network ?? "",
    user: spec?.uid ?? DEFAULT_UID,
    profile: spec?.profile || "default",
    work: spec?.work || "private",
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

/** What `job run --json` prints; what is not set is an empty text. @param scheduleInput what `--schedule` said */
export function startJson(job: Job, scheduleInput: string) {
  const { command = "", args = [] } = job.spec ?? {};
  return {
    job_uuid: job.id,
    command,
    args,
    status: stateName(job.state),
    start_time: isoTime(job.startedAt) ?? "",
    schedule_input: scheduleInput,
    scheduled_time: isoTime(job.scheduledAt) ?? "",
  };
}
