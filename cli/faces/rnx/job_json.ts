/** Jobs as rnx prints them for programs: its keys and units. Memory in MB, I/O in bytes per second, 0 for no limit. */
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { Job } from "../../../proto/gen/joblet/v1/job_pb.ts";
import { startJson as commonStartJson } from "../../output/job_json.ts";
import { stateName } from "../../output/state.ts";
import { isoTime } from "../../output/times.ts";

const MIB = 1024n * 1024n;

/** What is shown in place of a secret. */
export const SECRET = "***";

function limitsOf(job: Job) {
  const { cpuPercent = 0, memoryBytes = 0n, ioBytesPerSecond = 0n, cpuCores = "" } = job.spec?.limits ?? {};
  const maxMemory = Number(memoryBytes / MIB) || Number(memoryBytes) / Number(MIB);
  return { maxCpu: cpuPercent, maxMemory, maxIobps: Number(ioBytesPerSecond), cpuCores };
}

/** A row of `rnx job list --json`; a time that is not set is an empty text, an exit code null. */
export function listJson(job: Job, nodeId: string) {
  const { maxCpu, maxMemory, maxIobps, cpuCores } = limitsOf(job);
  return {
    id: job.id,
    name: job.spec?.name ?? "",
    node_id: nodeId,
    status: stateName(job.state),
    start_time: isoTime(job.startedAt) ?? "",
    end_time: isoTime(job.endedAt) ?? "",
    command: job.spec?.command ?? "",
    args: job.spec?.args ?? [],
    exit_code: job.exitCode ?? null,
    max_cpu: maxCpu,
    max_memory: maxMemory,
    max_iobps: maxIobps,
    cpu_cores: cpuCores,
    scheduled_time: isoTime(job.scheduledAt) ?? "",
  };
}

/** `rnx job status --json`; limits only where there are some. */
export function statusJson(job: Job, nodeId: string) {
  const { spec } = job;
  const { maxCpu, maxMemory, maxIobps, cpuCores } = limitsOf(job);
  const limits = Object.entries({ maxCPU: maxCpu, maxMemory, maxIOBPS: maxIobps, cpuCores });
  return {
    uuid: job.id,
    name: spec?.name ?? "",
    nodeId,
    command: spec?.command ?? "",
    args: spec?.args ?? [],
    status: stateName(job.state),
    startTime: isoTime(job.startedAt) ?? "",
    endTime: isoTime(job.endedAt) ?? "",
    exitCode: job.exitCode ?? null,
    scheduledTime: isoTime(job.scheduledAt) ?? "",
    environment: spec?.env ?? {},
    secretEnvironment: Object.fromEntries(Object.keys(spec?.secretEnv ?? {}).map((name) => [name, SECRET])),
    network: spec?.network ?? "",
    volumes: [],
    runtime: "",
    workDir: spec?.workdir ?? "",
    uploads: [],
    dependencies: [],
    workflowUuid: "",
    ...Object.fromEntries(limits.filter(([, value]) => value !== 0 && value !== "")),
  };
}

/** `rnx job run --json`. @param input what `--schedule` said */
export function startJson(job: Job, input: string) {
  const { env = {}, secretEnv = {} } = job.spec ?? {};
  return {
    ...commonStartJson(job, input),
    files_uploaded: 0,
    env_vars: Object.keys(env).length,
    secret_env_vars: Object.keys(secretEnv).length,
  };
}

/** `rnx job stop --json`. */
export function stopJson(job: Job) {
  return {
    uuid: job.id,
    status: stateName(job.state),
    end_time: isoTime(job.endedAt) ?? "",
    exit_code: job.exitCode ?? null,
  };
}

/** A time on this machine's clock: "2026-03-01 07:30:00 +01:00". */
export function localTime(time: Parameters<typeof timestampDate>[0] | undefined): string {
  if (!time) return "";
  const instant = Temporal.Instant.fromEpochMilliseconds(timestampDate(time).getTime());
  const zoned = instant.toZonedDateTimeISO(Temporal.Now.timeZoneId());
  return `${zoned.toPlainDateTime().toString({ smallestUnit: "second" }).replace("T", " ")} ${zoned.offset}`;
}
