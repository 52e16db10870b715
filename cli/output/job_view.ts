/** A job for people and for programs. */
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { shortJobId } from "../../core/values/job_id.ts";
import { formatBytes } from "../../core/values/bytes.ts";
import { formatDuration } from "../../core/values/duration.ts";
import { signalName } from "../../core/values/signal.ts";
import type { Job } from "../../proto/gen/joblet/v1/job_pb.ts";
import { paintState, reasonName, stateName } from "./state.ts";
import { printable } from "./table.ts";

interface ProtoDuration {
  readonly seconds: bigint;
  readonly nanos: number;
}

function toMs({ seconds, nanos }: ProtoDuration): number {
  return Number(seconds) * 1000 + nanos / 1e6;
}

function iso(time: Timestamp | undefined): string | null {
  return time ? timestampDate(time).toISOString() : null;
}

/** Command and arguments as one would type them in a shell. */
export function commandLine(job: Job): string {
  const words = [job.spec?.command ?? "", ...job.spec?.args ?? []];
  return words.map((word) => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}

/** How long it has run or ran; empty if it never did. */
export function runTime(job: Job, now = Date.now()): string {
  if (!job.startedAt) return "";
  const end = job.endedAt ? timestampDate(job.endedAt).getTime() : now;
  return formatDuration(Math.max(0, end - timestampDate(job.startedAt).getTime()));
}

/** "exit code 3", "signal 9 (SIGKILL)", or empty. */
export function exitText(job: Job): string {
  if (job.exitCode !== undefined) return `exit code ${job.exitCode}`;
  return job.signal === undefined ? "" : `signal ${job.signal} (${signalName(job.signal)})`;
}

/** The job as JSON: snake_case keys, sizes in bytes, times in RFC 3339, null for what is not set. */
export function jobJson(job: Job): Record<string, unknown> {
  const { spec, usage } = job;
  const limits = spec?.limits;
  return {
    id: job.id,
    name: spec?.name ?? "",
    owner: job.owner,
    status: stateName(job.state),
    reason: reasonName(job.endReason) || null,
    exit_code: job.exitCode ?? null,
    signal: job.signal ?? null,
    command: spec?.command ?? "",
    args: spec?.args ?? [],
    env: spec?.env ?? {},
    workdir: spec?.workdir ?? "",
    network: spec?.network ?? "",
    max_cpu: limits?.cpuPercent ?? null,
    max_memory: limits?.memoryBytes === undefined ? null : Number(limits.memoryBytes),
    max_iobps: limits?.ioBytesPerSecond === undefined ? null : Number(limits.ioBytesPerSecond),
    cpu_cores: limits?.cpuCores || null,
    timeout_seconds: spec?.timeout ? toMs(spec.timeout) / 1000 : null,
    created_at: iso(job.createdAt),
    start_time: iso(job.startedAt),
    end_time: iso(job.endedAt),
    start_failure: job.startFailure
      ? { step: job.startFailure.step, errno: job.startFailure.errno, message: job.startFailure.message }
      : null,
    usage: {
      cpu_user_seconds: usage?.cpuUser ? toMs(usage.cpuUser) / 1000 : null,
      cpu_system_seconds: usage?.cpuSystem ? toMs(usage.cpuSystem) / 1000 : null,
      memory_peak_bytes: usage?.memoryPeakBytes === undefined ? null : Number(usage.memoryPeakBytes),
    },
  };
}

/** Cells of a job in a list. */
export function jobRow(job: Job, colors: boolean): string[] {
  const started = job.startedAt ? timestampDate(job.startedAt).toISOString().slice(0, 19).replace("T", " ") : "";
  const state = paintState(job.state, colors);
  return [
    shortJobId(job.id),
    printable(job.spec?.name ?? ""),
    state,
    exitText(job),
    started,
    runTime(job),
    printable(commandLine(job)),
  ];
}

export const JOB_HEADINGS = ["ID", "NAME", "STATUS", "EXIT", "STARTED (UTC)", "TIME", "COMMAND"] as const;

/** Labelled lines; what is not set is left out. */
export function jobDetails(job: Job, colors: boolean): [string, string][] {
  const { spec, usage } = job;
  const limits = spec?.limits;
  const lines: [string, string | null | undefined | false][] = [
    ["ID", job.id],
    ["Name", spec?.name],
    ["Owner", job.owner],
    ["Command", commandLine(job)],
    ["Status", paintState(job.state, colors)],
    ["Result", exitText(job)],
    ["Reason", reasonName(job.endReason)],
    ["Failure", job.startFailure?.message],
    ["Created", iso(job.createdAt)],
    ["Started", iso(job.startedAt)],
    ["Ended", iso(job.endedAt)],
    ["Time", runTime(job)],
    ["Timeout", spec?.timeout && formatDuration(toMs(spec.timeout))],
    ["Network", spec?.network],
    ["Directory", spec?.workdir],
    ["CPU limit", limits?.cpuPercent !== undefined && `${limits.cpuPercent} % of a core`],
    ["Memory limit", limits?.memoryBytes !== undefined && formatBytes(limits.memoryBytes)],
    ["I/O limit", limits?.ioBytesPerSecond !== undefined && `${formatBytes(limits.ioBytesPerSecond)}/s`],
    ["CPU cores", limits?.cpuCores],
    ["CPU time", usage?.cpuUser && usage.cpuSystem && cpuText(usage.cpuUser, usage.cpuSystem)],
    ["Peak memory", usage?.memoryPeakBytes !== undefined && formatBytes(usage.memoryPeakBytes)],
    ...Object.entries(spec?.env ?? {}).map(([name, value]): [string, string] => ["Environment", `${name}=${value}`]),
  ];
  return lines.filter((line): line is [string, string] => Boolean(line[1]))
    .map(([label, value]) => [label, label === "Status" ? value : printable(value)]);
}

function cpuText(user: ProtoDuration, system: ProtoDuration): string {
  return `${formatDuration(toMs(user))} user, ${formatDuration(toMs(system))} system`;
}
