/** Joblet's public messages, from and to the core's. */
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { EngineError } from "../../../core/errors.ts";
import type { Job as CoreJob, JobStateName } from "../../../core/jobs/job.ts";
import type { JobSpecInput, LimitsInput } from "../../../core/jobs/spec.ts";
import { formatCoreList } from "../../../core/values/core_list.ts";
import {
  type GetJobStatusResponse,
  GetJobStatusResponseSchema,
  type Job,
  JobSchema,
  type RunJobRequest,
  type StopJobResponse,
  StopJobResponseSchema,
} from "../../../proto/gen/joblet/joblet_pb.ts";

const MIB = 1024 * 1024;
const TIMEOUT_EXIT_CODE = 124;
/** Of a program that died of a signal, that never ran, or whose end nobody saw. */
const NO_EXIT_CODE = -1;
const SECRET = "***";

/** Joblet knows no losing of jobs. */
const STATUSES: Readonly<Partial<Record<JobStateName, string>>> = { lost: "FAILED" };

/** Not checked yet. @throws {ConnectError} UNIMPLEMENTED for what joblet has not yet */
export function inputOf(request: RunJobRequest): JobSpecInput {
  assertThere(request);
  const { command, args, environment, secretEnvironment, workDir, schedule } = request;
  return {
    command,
    args,
    env: environment,
    secretEnv: secretEnvironment,
    ...(workDir !== "" && { workdir: workDir }),
    ...(request.network !== "" && { network: networkOf(request.network) }),
    limits: limitsOf(request),
    ...(schedule !== "" && { schedule: { when: schedule } }),
  };
}

function assertThere(request: RunJobRequest): void {
  const missing = [
    request.uploads.length > 0 && "uploads",
    request.volumes.length > 0 && "volumes",
    request.runtime !== "" && "runtimes",
    (request.gpuCount !== 0 || request.gpuMemoryMb !== 0) && "GPUs",
  ].filter((feature) => feature !== false);
  if (missing.length > 0) throw notThere("run a job", missing.join(" and "));
}

/** An error for a feature that is not there yet. @param what what can't be done, as in "Cannot run a job" */
export function notThere(what: string, feature: string): ConnectError {
  return new ConnectError(`Cannot ${what}: joblet has no ${feature} yet`, Code.Unimplemented);
}

function networkOf(network: string): string {
  if (network === "isolated") return "none";
  if (network === "none" || network === "host") return network;
  throw notThere(`run a job in network '${network}'`, "networks but none, isolated and host");
}

function limitsOf({ maxCpu, maxMemory, maxIoBps, cpuCores }: RunJobRequest): LimitsInput {
  for (const [field, value] of Object.entries({ max_cpu: maxCpu, max_memory: maxMemory, max_io_bps: maxIoBps })) {
    if (value < 0) throw new EngineError("invalid", `Cannot use ${field} ${value}: it must be at least 0`);
  }
  return {
    ...(maxCpu > 0 && { cpuPercent: maxCpu }),
    ...(maxMemory > 0 && { memoryBytes: maxMemory * MIB }),
    ...(maxIoBps > 0 && { ioBytesPerSecond: maxIoBps }),
    ...(cpuCores !== "" && { cpuCores }),
  };
}

/** "RUNNING" */
export function statusText({ status: { state } }: CoreJob): string {
  return STATUSES[state] ?? state.toUpperCase();
}

export function jobMessage(job: CoreJob, nodeId: string): Job {
  return create(JobSchema, { ...commonFields(job, nodeId) });
}

export function statusMessage(job: CoreJob, nodeId: string): GetJobStatusResponse {
  const { network, workdir } = job.spec;
  return create(GetJobStatusResponseSchema, { ...commonFields(job, nodeId), network, workDir: workdir });
}

export function stopMessage(job: CoreJob): StopJobResponse {
  const { id: uuid, status } = job;
  const endTime = "endedAt" in status ? status.endedAt.toISOString() : "";
  return create(StopJobResponseSchema, { uuid, status: statusText(job), endTime, exitCode: exitCodeOf(job) });
}

function commonFields(job: CoreJob, nodeId: string) {
  const { id: uuid, spec, status } = job;
  const { command, args, limits, env, secretEnv = {} } = spec;
  return {
    uuid,
    command,
    args: [...args],
    maxCpu: limits.cpuPercent ?? 0,
    cpuCores: limits.cpuCores ? formatCoreList(limits.cpuCores) : "",
    maxMemory: Math.floor((limits.memoryBytes ?? 0) / MIB),
    maxIoBps: Math.min(limits.ioBytesPerSecond ?? 0, 2 ** 31 - 1),
    status: statusText(job),
    startTime: "startedAt" in status ? status.startedAt?.toISOString() ?? "" : "",
    endTime: "endedAt" in status ? status.endedAt.toISOString() : "",
    exitCode: exitCodeOf(job),
    scheduledTime: status.state === "scheduled" ? status.at.toISOString() : "",
    environment: { ...env },
    secretEnvironment: Object.fromEntries(Object.keys(secretEnv).map((name) => [name, SECRET])),
    nodeId,
  };
}

function exitCodeOf({ status }: CoreJob): number {
  if (status.state === "timeout") return TIMEOUT_EXIT_CODE;
  if (!("endedAt" in status)) return 0;
  return "exit" in status && status.exit?.kind === "exited" ? status.exit.code : NO_EXIT_CODE;
}
