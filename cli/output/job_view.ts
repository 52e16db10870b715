/** A job for people. */
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { formatDuration } from "../../core/values/duration.ts";
import { shortJobId } from "../../core/values/job_id.ts";
import { signalName } from "../../core/values/signal.ts";
import { type Attempt, type Job, type JobSpec, JobState } from "../../proto/gen/joblet/v1/job_pb.ts";
import { limitLines } from "./limits.ts";
import { isRecurring, MISFIRE, OVERLAP, policyName, RETRY_ON } from "./policy.ts";
import { paintState, reasonName } from "./state.ts";
import { printable } from "./table.ts";
import { isoTime, spanText, toMs, untilText } from "./times.ts";
import { usageLines } from "./usage.ts";

/** Command and arguments as one would type them in a shell. */
export function commandLine(job: Job): string {
  const words = [job.spec?.command ?? "", ...job.spec?.args ?? []];
  return words.map((word) => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}

/** "exit code 3", "signal 9 (SIGKILL)", or empty. */
export function exitText({ exitCode, signal }: Pick<Job, "exitCode" | "signal">): string {
  if (exitCode !== undefined) return `exit code ${exitCode}`;
  return signal === undefined ? "" : `signal ${signal} (${signalName(signal)})`;
}

/** Whether it is not under way: what its record says of a start is then an earlier attempt's. */
function isWaiting({ state }: Job): boolean {
  return state === JobState.PENDING || state === JobState.SCHEDULED;
}

/** How long it has run or ran; empty if it never did. */
function runTime(job: Job, now = Date.now()): string {
  return job.startedAt && !isWaiting(job) ? spanText(job.startedAt, job.endedAt, now) : "";
}

/** When it started, or in how long it is due. */
function startText(job: Job, now: number): string {
  if (job.state === JobState.SCHEDULED && job.scheduledAt) return untilText(job.scheduledAt, now);
  if (!job.startedAt || isWaiting(job)) return "";
  return timestampDate(job.startedAt).toISOString().slice(0, 19).replace("T", " ");
}

/** Cells of a job in a list. */
export function jobRow(job: Job, colors: boolean, now = Date.now()): string[] {
  return [
    shortJobId(job.id),
    printable(job.spec?.name ?? ""),
    paintState(job.state, colors),
    exitText(job),
    startText(job, now),
    runTime(job, now),
    printable(commandLine(job)),
  ];
}

export const JOB_HEADINGS = ["ID", "NAME", "STATUS", "EXIT", "STARTED (UTC)", "TIME", "COMMAND"] as const;

type Line = readonly [label: string, value: string | null | undefined | false];

/** Labelled lines; what is not set is left out. */
export function jobDetails(job: Job, colors: boolean): [string, string][] {
  const { spec } = job;
  const lines: Line[] = [
    ["ID", job.id],
    ["Name", spec?.name],
    ["Owner", job.owner],
    ["Labels", Object.entries(spec?.labels ?? {}).map(([key, value]) => `${key}=${value}`).toSorted().join(", ")],
    ["Command", commandLine(job)],
    ["Status", paintState(job.state, colors)],
    ["Waiting for", job.waitingFor],
    [isRecurring(spec) ? "Next run" : "Scheduled for", isoTime(job.scheduledAt)],
    ["Result", exitText(job)],
    ["Reason", reasonName(job.endReason)],
    ["Failure", job.startFailure?.message],
    ["Detail", job.endDetail],
    ["Created", isoTime(job.createdAt)],
    ["Started", isoTime(job.startedAt)],
    ["Ended", isoTime(job.endedAt)],
    ["Time", runTime(job)],
    ["Run of", job.scheduledBy],
    ...attemptLines(job),
    ...policyLines(spec),
    ...sandboxLines(spec),
    ...limitLines(spec?.limits),
    ...usageLines(job.usage),
    ...Object.entries(spec?.env ?? {}).map(([name, value]): Line => ["Environment", `${name}=${value}`]),
    ...Object.keys(spec?.secretEnv ?? {}).map((name): Line => ["Secret", name]),
    ...Object.keys(spec?.secretFiles ?? {}).map((name): Line => ["Secret file", `/run/secrets/${name}`]),
  ];
  return lines.filter((line): line is [string, string] => Boolean(line[1]))
    .map(([label, value]) => [label, label === "Status" ? value : printable(value)]);
}

function attemptLines({ attempt, spec, earlierAttempts }: Job): Line[] {
  const most = (spec?.retry?.limit ?? 0) + 1;
  return [
    ["Attempt", attempt > 0 && (most > 1 || attempt > 1) && `${attempt} of at most ${Math.max(most, attempt)}`],
    ...earlierAttempts.map((earlier, index): Line => [`Attempt ${index + 1}`, attemptText(earlier)]),
  ];
}

/** "exit code 3 (EXITED), ran 2s until 2026-03-01T07:30:00.000Z" */
function attemptText(attempt: Attempt): string {
  const [result, reason] = [exitText(attempt), reasonName(attempt.endReason)];
  const end = result && reason ? `${result} (${reason})` : result || reason;
  const { startedAt, endedAt } = attempt;
  const ran = startedAt && endedAt ? `ran ${spanText(startedAt, endedAt)} until ${isoTime(endedAt)}` : "";
  return [end, ran].filter(Boolean).join(", ") || "not known";
}

function policyLines(spec: JobSpec | undefined): Line[] {
  const { retry, schedule, timeout, priority = 0 } = spec ?? {};
  const after = retry?.on.map((on) => policyName(RETRY_ON, on)).join(", ");
  const retries = retry && retry.limit > 0 && [
    String(retry.limit),
    retry.delay && `${formatDuration(toMs(retry.delay))} apart`,
    after && `after ${after}`,
  ].filter(Boolean).join(", ");
  const policies = isRecurring(spec) && schedule &&
    `; missed: ${policyName(MISFIRE, schedule.misfire)}, overlapping: ${policyName(OVERLAP, schedule.overlap)}`;
  return [
    ["Timeout", timeout && formatDuration(toMs(timeout))],
    ["Priority", priority !== 0 && String(priority)],
    ["Retries", retries],
    ["Schedule", schedule && `${schedule.when} (${schedule.timeZone || "UTC"})${policies || ""}`],
  ];
}

/** User ids with a name of their own in every job. */
const USERS: Readonly<Record<number, string>> = { 0: "root (inside the job)", 1000: "job" };

function sandboxLines(spec: JobSpec | undefined): Line[] {
  return [
    ["Network", spec?.network],
    ["Directory", spec?.workdir],
    ["User", spec?.uid !== undefined && (USERS[spec.uid] ?? String(spec.uid))],
    ["Profile", spec?.profile],
    ["Work folder", spec?.work],
  ];
}
