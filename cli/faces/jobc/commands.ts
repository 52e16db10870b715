/** What jobc's commands do. */
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { clientCommand } from "../../command.ts";
import { type LimitFlags, toLimits } from "../../commands/limit_flags.ts";
import type { NodeFlags } from "../../context.ts";
import { listJobs } from "../../list_jobs.ts";
import { copyLogs } from "../../logs/copy.ts";
import { rawSink } from "../../logs/sink.ts";
import { commandLine } from "../../output/job_view.ts";
import { formatTable, printable } from "../../output/table.ts";
import { fetchJob, startedJob, stoppedJob } from "../jobs.ts";
import { jsonLineSink } from "./json_lines.ts";
import { statusText } from "./status_text.ts";

type Limits = "maxCpu" | "cpuWeight" | "cpuCores" | "maxMemory" | "maxPids" | "maxIobps" | "ioWeight";

export interface StartFlags extends NodeFlags, Pick<LimitFlags, Limits> {
  readonly env?: readonly (readonly [string, string])[];
  /** Milliseconds. */
  readonly timeout?: number;
}

export const start = clientCommand<StartFlags, string[]>(async (cli, connection, flags, ...words) => {
  const [command = "", ...args] = words;
  const { timeout, env = [] } = flags;
  const job = await startedJob(cli, connection, {
    command,
    args,
    env: Object.fromEntries(env),
    limits: toLimits(flags),
    ...(timeout === undefined ? {} : { timeout: durationFromMs(timeout) }),
  });
  await cli.terminal.out(`${job.id}\n`);
  return 0;
});

export interface StopFlags extends NodeFlags {
  /** Milliseconds. */
  readonly grace: number;
}

export const stop = clientCommand<StopFlags, [string]>(async (_cli, connection, { grace }, id) => {
  // Without a grace there is no first signal to wait after.
  await stoppedJob(connection, id, grace === 0 ? { signal: "SIGKILL" } : { grace: durationFromMs(grace) });
  return 0;
});

export const status = clientCommand<NodeFlags, [string]>(async ({ terminal }, connection, _flags, id) => {
  await terminal.out(`${statusText(await fetchJob(connection, id))}\n`);
  return 0;
});

export interface LogsFlags extends NodeFlags {
  readonly raw: boolean;
  readonly follow: boolean;
}

export const logs = clientCommand<LogsFlags, [string]>(async (cli, connection, { raw, follow }, id) => {
  const { terminal, pause } = cli;
  await copyLogs(connection, { id, follow }, raw ? rawSink(terminal) : jsonLineSink(terminal), { pause });
  return 0;
});

export const list = clientCommand<NodeFlags, []>(async ({ terminal }, connection) => {
  const jobs = await listJobs(connection, {});
  const rows = jobs.map((job) => [job.id, printable(job.owner), statusText(job), printable(commandLine(job))]);
  await terminal.out(formatTable([["JOB", "USER", "STATUS", "COMMAND"], ...rows], terminal.columns));
  return 0;
});
