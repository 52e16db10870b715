/** What rnx does with jobs that exist. */
import { JobState } from "../../../proto/gen/joblet/v1/job_pb.ts";
import { CALL_OPTIONS, clientCommand } from "../../command.ts";
import type { GlobalFlags } from "../../context.ts";
import { CliError } from "../../errors.ts";
import { listJobs } from "../../list_jobs.ts";
import { copyLogs } from "../../logs/copy.ts";
import { type LogSink, mergedSink, textOf } from "../../logs/sink.ts";
import { nanosecondTime } from "../../logs/time.ts";
import { commandLine, exitText } from "../../output/job_view.ts";
import { paintState, stateName } from "../../output/state.ts";
import { formatTable, printable } from "../../output/table.ts";
import type { Terminal } from "../../terminal.ts";
import { fetchJob, stoppedJob } from "../jobs.ts";
import { listJson, localTime, statusJson, stopJson } from "./job_json.ts";
import { jobSections } from "./job_sections.ts";

/** Characters of a command in a list. */
const MAX_COMMAND = 80;

/** Deleting the output of many jobs takes a disk its time. */
const DELETE_CALL = { timeoutMs: 600_000 } as const;

export const list = clientCommand<GlobalFlags, []>(async ({ terminal }, connection, { json }) => {
  const { nodeId } = connection;
  const jobs = await listJobs(connection, {});
  if (json) {
    await terminal.out(`${JSON.stringify(jobs.map((job) => listJson(job, nodeId)), null, 2)}\n`);
  } else if (jobs.length === 0) {
    await terminal.out("No jobs found\n");
  } else {
    const rows = jobs.map((job) => {
      const line = printable(commandLine(job));
      const command = line.length > MAX_COMMAND ? `${line.slice(0, MAX_COMMAND - 3)}...` : line;
      const started = localTime(job.startedAt) || localTime(job.scheduledAt);
      const name = printable(job.spec?.name ?? "") || "-";
      return [job.id, name, printable(nodeId) || "-", paintState(job.state, terminal.colors), started || "-", command];
    });
    const table = [["ID", "NAME", "NODE ID", "STATUS", "START TIME", "COMMAND"], ...rows];
    await terminal.out(formatTable(table, Infinity));
  }
  return 0;
});

export interface StatusFlags extends GlobalFlags {
  readonly workflow: boolean;
  readonly detail: boolean;
}

export const status = clientCommand<StatusFlags, [string]>(async ({ terminal }, connection, { json }, id) => {
  const job = await fetchJob(connection, id);
  const { nodeId } = connection;
  const text = json
    ? `${JSON.stringify(statusJson(job, nodeId), null, 2)}\n`
    : jobSections(job, nodeId, terminal.colors);
  await terminal.out(text);
  return 0;
}, ({ workflow, detail }) => {
  if (workflow || detail) throw new CliError("Cannot show a workflow: joblet has no workflows yet");
});

export interface LogFlags extends GlobalFlags {
  readonly follow: boolean;
  readonly tail?: number;
}

export const log = clientCommand<LogFlags, [string]>(async (cli, connection, { json, follow, tail }, id) => {
  const { terminal, pause } = cli;
  const query = { id, follow, ...(tail === undefined ? {} : { tailLines: tail }) };
  await copyLogs(connection, query, json ? chunkSink(terminal) : mergedSink(terminal), { pause });
  return 0;
});

/** An object for each piece; its time is that of the output. */
function chunkSink(terminal: Terminal): LogSink {
  return {
    frame: async ({ time, data, missingBytes }) => {
      const missing = missingBytes > 0n ? { missing_bytes: Number(missingBytes) } : {};
      const { text, ...base64 } = textOf(data);
      const piece = { timestamp: nanosecondTime(time), data: text, ...base64, ...missing };
      await terminal.out(`${JSON.stringify(piece)}\n`);
    },
    end: async () => {},
  };
}

export const stop = clientCommand<GlobalFlags, [string]>(async ({ terminal }, connection, { json }, id) => {
  const job = await stoppedJob(connection, id);
  const result = exitText(job);
  // It may have ended by itself before.
  const title = job.state === JobState.STOPPED || job.state === JobState.CANCELED ? "stopped" : "had ended";
  const text = `Job ${title}:\nID: ${job.id}\nStatus: ${stateName(job.state)}\n${
    result === "" ? "" : `Result: ${result}\n`
  }`;
  await terminal.out(json ? `${JSON.stringify(stopJson(job), null, 2)}\n` : text);
  return 0;
});

export const cancel = clientCommand<GlobalFlags, [string]>(async ({ terminal }, connection, { json }, id) => {
  const { job } = await connection.jobs.cancelJob({ id }, CALL_OPTIONS);
  if (!job) throw new Error("Cannot cancel the job: the server sent none");
  const status = stateName(job.state);
  const message = `Job ${job.id} is canceled`;
  const answer = { canceled: true, job_id: job.id, status, message };
  await terminal.out(
    json ? `${JSON.stringify(answer, null, 2)}\n` : `Job canceled:\nID: ${job.id}\nStatus: ${status}\n`,
  );
  return 0;
});

export const remove = clientCommand<GlobalFlags, [string]>(async ({ terminal }, connection, { json }, id) => {
  const job = await fetchJob(connection, id);
  await connection.jobs.deleteJob({ id: job.id }, CALL_OPTIONS);
  const message = `Job ${job.id} is deleted`;
  const answer = { uuid: job.id, success: true, message };
  await terminal.out(json ? `${JSON.stringify(answer, null, 2)}\n` : `Job deleted:\nID: ${job.id}\n`);
  return 0;
});

export const removeAll = clientCommand<GlobalFlags, []>(async ({ terminal }, connection, { json }) => {
  const { deleted, skipped } = await connection.jobs.deleteJobs({}, DELETE_CALL);
  const message = `${deleted} deleted, ${skipped} skipped as they have not ended`;
  const answer = { success: true, message, deleted_count: Number(deleted), skipped_count: Number(skipped) };
  const text = `Jobs deleted:\nDeleted: ${deleted}\nSkipped: ${skipped}\n`;
  await terminal.out(json ? `${JSON.stringify(answer, null, 2)}\n` : text);
  return 0;
});
