/** `rnx job status` for people: sections, and what one may do next. */
import { type Job, JobState } from "../../../proto/gen/joblet/v1/job_pb.ts";
import { commandLine, exitText } from "../../output/job_view.ts";
import { limitLines } from "../../output/limits.ts";
import { isTerminalState, paintState, reasonName } from "../../output/state.ts";
import { printable } from "../../output/table.ts";
import { spanText, untilText } from "../../output/times.ts";
import { usageLines } from "../../output/usage.ts";
import { localTime, SECRET } from "./job_json.ts";

type Line = readonly [label: string, value: string | undefined];

/** The whole text. @param now milliseconds since the epoch */
export function jobSections(job: Job, nodeId: string, colors: boolean, now = Date.now()): string {
  const { spec } = job;
  const status: Line = ["Status", paintState(job.state, colors)];
  const sections: readonly (readonly [title: string, lines: readonly Line[]])[] = [
    ["", [["Job ID", job.id], ["Name", spec?.name], ["Owner", job.owner], ["Node ID", nodeId]]],
    ["", [["Command", commandLine(job)], status, ["Waiting for", job.waitingFor]]],
    ["Scheduling", scheduling(job, now)],
    ["Timing", timing(job, now)],
    ["Resource Limits", limitLines(spec?.limits)],
    ["Resource Usage", usageLines(job.usage)],
    ["Sandbox", [["Network", spec?.network], ["Work Dir", spec?.workdir]]],
    ["Environment", [
      ...Object.entries(spec?.env ?? {}),
      ...Object.keys(spec?.secretEnv ?? {}).map((name): Line => [name, `${SECRET} (secret)`]),
    ]],
    ["Result", result(job)],
    ["Next", nextActions(job)],
  ];
  const texts = sections.map(([title, lines]) => {
    const indent = title === "" ? "" : "  ";
    const rows = lines.filter(([, value]) => value).map(([label, value]) => {
      const shown = label === "Status" ? value : printable(value ?? "");
      return `${indent}${label === "" ? "" : `${printable(label)}: `}${shown}\n`;
    });
    return rows.length === 0 ? "" : `${title === "" ? "" : `${title}:\n`}${rows.join("")}`;
  });
  return texts.filter((text) => text !== "").join("\n");
}

function scheduling(job: Job, now: number): Line[] {
  if (!job.scheduledAt) return [];
  return [["Scheduled Time", localTime(job.scheduledAt)], ["Time Until Execution", untilText(job.scheduledAt, now)]];
}

function timing({ createdAt, startedAt, endedAt }: Job, now: number): Line[] {
  return [
    ["Created", localTime(createdAt)],
    ["Started", localTime(startedAt)],
    ["Ended", localTime(endedAt)],
    [endedAt ? "Duration" : "Running For", startedAt && spanText(startedAt, endedAt, now)],
  ];
}

function result(job: Job): Line[] {
  const { exitCode } = job;
  return [
    ["Exit Code", exitCode === undefined ? undefined : String(exitCode)],
    ["Signal", exitCode === undefined ? exitText(job) : undefined],
    ["Reason", reasonName(job.endReason)],
    ["Failure", job.startFailure?.message],
    ["Detail", job.endDetail],
  ];
}

function nextActions({ id, state }: Job): Line[] {
  if (isTerminalState(state)) return [["", `rnx job log ${id}`], ["", `rnx job delete ${id}`]];
  const waits = state === JobState.PENDING || state === JobState.SCHEDULED;
  return waits ? [["", `rnx job cancel ${id}`]] : [["", `rnx job log ${id}`], ["", `rnx job stop ${id}`]];
}
