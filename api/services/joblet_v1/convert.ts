/** Jobs and their specs, from the wire to the core and back. What is unset stays unset. */
import { create } from "@bufbuild/protobuf";
import { EngineError } from "../../../core/errors.ts";
import type { PlanLine } from "../../../core/jobs/engine.ts";
import type {
  AttemptEnd,
  EndReason as CoreEndReason,
  Job as CoreJob,
  JobStateName,
  StartFailure,
} from "../../../core/jobs/job.ts";
import { mapValues } from "../../../core/jobs/secrets.ts";
import type { JobSpec as CoreSpec, JobSpecInput } from "../../../core/jobs/spec.ts";
import {
  type Attempt,
  AttemptSchema,
  EndReason,
  type Job,
  JobSchema,
  type JobSpec,
  JobSpecSchema,
  JobState,
  type PlanStep,
  PlanStepSchema,
  StartFailureSchema,
} from "../../../proto/gen/joblet/v1/job_pb.ts";
import { limitsFromProto, limitsToProto } from "./convert_limits.ts";
import { policyFromProto, policyToProto } from "./convert_policy.ts";
import { usageToProto } from "./convert_usage.ts";
import { durationFromMs, msFromDuration, timestampFromMs } from "./convert_time.ts";

const STATES: Readonly<Record<JobStateName, JobState>> = {
  pending: JobState.PENDING,
  scheduled: JobState.SCHEDULED,
  initializing: JobState.INITIALIZING,
  running: JobState.RUNNING,
  stopping: JobState.STOPPING,
  completed: JobState.COMPLETED,
  failed: JobState.FAILED,
  stopped: JobState.STOPPED,
  canceled: JobState.CANCELED,
  timeout: JobState.TIMEOUT,
  lost: JobState.LOST,
};

const REASONS: Readonly<Record<CoreEndReason, EndReason>> = {
  exited: EndReason.EXITED,
  signaled: EndReason.SIGNALED,
  stopped: EndReason.STOPPED,
  timeout: EndReason.TIMEOUT,
  out_of_memory: EndReason.OUT_OF_MEMORY,
  start_failed: EndReason.START_FAILED,
  canceled: EndReason.CANCELED,
  lost: EndReason.LOST,
};

/** The spec as the core wants it, not checked yet. @throws {EngineError} kind "invalid" if there is none */
export function specFromProto(spec: JobSpec | undefined): JobSpecInput {
  if (spec === undefined) {
    throw new EngineError("invalid", "Cannot run a job without a spec: the field 'spec' must be set");
  }
  return {
    command: spec.command,
    args: spec.args,
    name: spec.name,
    env: spec.env,
    ...(Object.keys(spec.secretEnv).length > 0 && { secretEnv: spec.secretEnv }),
    ...(Object.keys(spec.secretFiles).length > 0 && { secretFiles: spec.secretFiles }),
    ...(spec.workdir !== "" && { workdir: spec.workdir }),
    ...(spec.network !== "" && { network: spec.network }),
    ...(spec.uid !== undefined && { uid: spec.uid }),
    ...(spec.profile !== "" && { profile: spec.profile }),
    ...(spec.work !== "" && { work: spec.work }),
    ...(spec.limits && { limits: limitsFromProto(spec.limits) }),
    ...(spec.timeout && { timeoutMs: msFromDuration(spec.timeout, "timeout") }),
    ...policyFromProto(spec),
  };
}

/** The states to look for. @throws {EngineError} kind "invalid" for one that does not exist */
export function statesFromProto(states: readonly JobState[]): JobStateName[] {
  return states.map((wanted) => {
    const found = Object.entries(STATES).find(([, state]) => state === wanted);
    if (!found) throw new EngineError("invalid", `Cannot list jobs in state ${wanted}: there is no such state`);
    return found[0] as JobStateName;
  });
}

/** A job as clients see it. */
export function jobToProto(job: CoreJob): Job {
  const { status } = job;
  const message = create(JobSchema);
  message.id = job.id;
  message.owner = job.owner;
  message.spec = specToProto(job.spec);
  message.state = STATES[status.state];
  message.createdAt = timestampFromMs(job.createdAt.getTime());
  message.version = BigInt(job.version);
  message.attempt = job.attempt;
  message.earlierAttempts = job.earlier.map(attemptToProto);
  message.scheduledBy = job.scheduledBy ?? "";
  if (status.state === "scheduled") message.scheduledAt = timestampFromMs(status.at.getTime());
  if (status.state === "pending") message.waitingFor = status.waitingFor ?? "";
  if ("startedAt" in status && status.startedAt) message.startedAt = timestampFromMs(status.startedAt.getTime());
  if ("endedAt" in status) {
    message.endReason = REASONS[status.reason];
    message.endedAt = timestampFromMs(status.endedAt.getTime());
    message.endDetail = status.detail ?? "";
  }
  if ("exit" in status && status.exit?.kind === "exited") message.exitCode = status.exit.code;
  if ("exit" in status && status.exit?.kind === "signaled") message.signal = status.exit.signal;
  if ("usage" in status && status.usage) message.usage = usageToProto(status.usage);
  if ("failure" in status && status.failure) message.startFailure = failureToProto(status.failure);
  return message;
}

function attemptToProto(end: AttemptEnd): Attempt {
  const message = create(AttemptSchema);
  message.endReason = REASONS[end.reason];
  message.endedAt = timestampFromMs(end.endedAt.getTime());
  if (end.startedAt) message.startedAt = timestampFromMs(end.startedAt.getTime());
  if (end.exit?.kind === "exited") message.exitCode = end.exit.code;
  if (end.exit?.kind === "signaled") message.signal = end.exit.signal;
  if (end.usage) message.usage = usageToProto(end.usage);
  return message;
}

function specToProto(spec: CoreSpec): JobSpec {
  const message = create(JobSpecSchema);
  message.command = spec.command;
  message.args = [...spec.args];
  message.name = spec.name;
  message.env = { ...spec.env };
  // Names alone: not even what is sealed leaves the server.
  message.secretEnv = mapValues(spec.secretEnv ?? {}, () => "");
  message.secretFiles = mapValues(spec.secretFiles ?? {}, () => new Uint8Array());
  message.workdir = spec.workdir;
  message.network = spec.network;
  message.limits = limitsToProto(spec.limits);
  if (spec.uid !== undefined) message.uid = spec.uid;
  message.profile = spec.profile ?? "";
  message.work = spec.work ?? "";
  if (spec.timeoutMs !== undefined) message.timeout = durationFromMs(spec.timeoutMs);
  policyToProto(spec, message);
  return message;
}

function failureToProto(failure: StartFailure) {
  const { step, errno, message, exitCode } = failure;
  return create(StartFailureSchema, { step, errno, message, exitCode });
}

/** One step of a plan. */
export function planToProto(line: PlanLine): PlanStep {
  return create(PlanStepSchema, { actor: line.actor, name: line.name, detail: line.detail });
}
