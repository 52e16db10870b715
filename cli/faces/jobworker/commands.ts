/** What jobworker's commands do. */
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { clientCommand } from "../../command.ts";
import { toLimits } from "../../commands/limit_flags.ts";
import type { NodeFlags } from "../../context.ts";
import { listJobs } from "../../list_jobs.ts";
import { copyLogs } from "../../logs/copy.ts";
import { mergedSink } from "../../logs/sink.ts";
import { commandLine } from "../../output/job_view.ts";
import { formatTable, printable } from "../../output/table.ts";
import { isoTime } from "../../output/times.ts";
import { fetchJob, startedJob, stoppedJob } from "../jobs.ts";
import { commandOf } from "./command_line.ts";
import { workerState } from "./states.ts";
import { statusLines } from "./status_view.ts";

export interface StartFlags extends NodeFlags {
  readonly cpuWeight?: number;
  readonly memoryLimit?: bigint;
  readonly ioWeight?: number;
  /** Milliseconds. */
  readonly timeout?: number;
}

export const start = clientCommand<StartFlags, string[]>(async (cli, connection, flags, ...words) => {
  const [command = "", ...args] = commandOf(words);
  const { memoryLimit, timeout, ...weights } = flags;
  const job = await startedJob(cli, connection, {
    command,
    args,
    limits: toLimits({ ...weights, ...(memoryLimit === undefined ? {} : { maxMemory: memoryLimit }) }),
    ...(timeout === undefined ? {} : { timeout: durationFromMs(timeout) }),
  });
  await cli.terminal.out(`Job started. ID: ${job.id}\n`);
  return 0;
}, (_flags, ...words) => void commandOf(words));

export const status = clientCommand<NodeFlags, [string]>(async ({ terminal }, connection, _flags, id) => {
  const job = await fetchJob(connection, id);
  await terminal.out(statusLines(job).map((line) => `${line}\n`).join(""));
  return 0;
});

export const stream = clientCommand<NodeFlags, [string]>(async ({ terminal, pause }, connection, _flags, id) => {
  await copyLogs(connection, { id, follow: true }, mergedSink(terminal), { pause });
  return 0;
});

export const stop = clientCommand<NodeFlags, [string]>(async ({ terminal }, connection, _flags, id) => {
  const job = await stoppedJob(connection, id);
  await terminal.out(`Status: ${workerState(job.state)}\nJob ID: ${job.id}\n`);
  return 0;
});

export const list = clientCommand<NodeFlags, []>(async ({ terminal }, connection) => {
  const jobs = await listJobs(connection, {});
  const rows = jobs.map((job) => [
    job.id,
    printable(job.owner),
    workerState(job.state),
    isoTime(job.startedAt) ?? "",
    printable(commandLine(job)),
  ]);
  await terminal.out(formatTable([["JOB ID", "USER", "STATUS", "STARTED", "COMMAND"], ...rows], terminal.columns));
  return 0;
});
