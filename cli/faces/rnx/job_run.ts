/** `rnx job run`: starts a job and returns. */
import { type Job, JobState } from "../../../proto/gen/joblet/v1/job_pb.ts";
import { clientCommand } from "../../command.ts";
import { commandLine } from "../../output/job_view.ts";
import { stateName } from "../../output/state.ts";
import { printable } from "../../output/table.ts";
import { startedJob } from "../jobs.ts";
import { localTime, startJson } from "./job_json.ts";
import { checkFeatures, type RunFlags, toSpec } from "./run_flags.ts";

export const jobRun = clientCommand<RunFlags, string[]>(async (cli, connection, flags, ...words) => {
  const job = await startedJob(cli, connection, toSpec(flags, words));
  const input = flags.schedule?.input ?? "";
  await cli.terminal.out(
    flags.json ? `${JSON.stringify(startJson(job, input), null, 2)}\n` : confirmation(job, input),
  );
  return 0;
}, checkFeatures);

function confirmation(job: Job, input: string): string {
  const { env = {}, secretEnv = {} } = job.spec ?? {};
  const count = (values: Record<string, string>) => Object.keys(values).length || "";
  const rows: [string, string | number][] = [
    ["ID", job.id],
    ["Command", printable(commandLine(job))],
    ["Status", stateName(job.state)],
    ["StartTime", localTime(job.startedAt)],
    ["Schedule Input", printable(input)],
    ["Scheduled Time", localTime(job.scheduledAt)],
    ["Waiting For", job.state === JobState.PENDING ? printable(job.waitingFor) : ""],
    ["Environment", count(env)],
    ["Secret Environment", count(secretEnv)],
  ];
  const title = job.state === JobState.SCHEDULED ? "scheduled" : job.state === JobState.PENDING ? "queued" : "started";
  const lines = rows.filter(([, value]) => value !== "").map(([label, value]) => `${label}: ${value}\n`);
  return `Job ${title}:\n${lines.join("")}`;
}
