import { type Job, JobState } from "../../proto/gen/joblet/v1/job_pb.ts";
import { command, withAddress } from "../command.ts";
import { exitCodeOf } from "../exit_code.ts";
import { startJson } from "../output/job_json.ts";
import { commandLine } from "../output/job_view.ts";
import { stateName } from "../output/state.ts";
import { formatTable, printable } from "../output/table.ts";
import { isoTime } from "../output/times.ts";
import { startJob } from "../start_job.ts";
import { showPlan } from "./plan.ts";
import { type SpecFlags, toSpec } from "./run_flags.ts";

/** `joblet job run`: starts the job and returns at once. */
export const jobRun = command<SpecFlags, string[]>(async (cli, flags, ...words) => {
  const spec = toSpec(flags, words);
  using connection = await cli.connectOrStart(flags);
  return await withAddress(connection, async () => {
    if (flags.dryRun) return await showPlan(cli, connection, spec, flags.json);
    const job = await startJob(cli, connection, spec);
    const text = flags.json
      ? `${JSON.stringify(startJson(job, job.spec?.schedule?.when ?? ""))}\n`
      : formatTable(startRows(job), Infinity);
    await cli.terminal.out(text);
    if (!job.startFailure) return 0;
    await cli.terminal.err(`joblet: ${job.startFailure.message}\n`);
    return exitCodeOf(job);
  });
});

function startRows(job: Job): string[][] {
  const rows: [string, string][] = [
    ["ID:", job.id],
    ["Command:", printable(commandLine(job))],
    ["Status:", stateName(job.state)],
    ["Started:", isoTime(job.startedAt) ?? ""],
    ["Scheduled:", isoTime(job.scheduledAt) ?? ""],
    ["Waiting:", job.state === JobState.PENDING ? printable(job.waitingFor) : ""],
  ];
  return rows.filter(([, value]) => value !== "");
}
