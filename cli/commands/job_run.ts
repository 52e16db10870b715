import { command, withAddress } from "../command.ts";
import { exitCodeOf } from "../exit_code.ts";
import { commandLine } from "../output/job_view.ts";
import { stateName } from "../output/state.ts";
import { formatTable, printable } from "../output/table.ts";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { showPlan } from "./plan.ts";
import { RUN_CALL, type SpecFlags, toSpec } from "./run_flags.ts";

/** `joblet job run`: starts the job and returns at once. */
export const jobRun = command<SpecFlags, string[]>(async (cli, flags, ...words) => {
  using connection = await cli.connectOrStart(flags);
  return await withAddress(connection, async () => {
    const spec = toSpec(flags, words);
    if (flags.dryRun) return await showPlan(cli, connection, spec, flags.json);
    const { job } = await connection.jobs.runJob({ spec }, RUN_CALL);
    if (!job) throw new Error("Cannot run a job: the server sent no job");
    const started = job.startedAt ? timestampDate(job.startedAt).toISOString() : "";
    const status = stateName(job.state);
    if (flags.json) {
      const { command = "", args = [] } = job.spec ?? {};
      const result = { job_uuid: job.id, command, args, status, start_time: started };
      await cli.terminal.out(`${JSON.stringify(result)}\n`);
    } else {
      const rows = [["ID:", job.id], ["Command:", printable(commandLine(job))], ["Status:", status], [
        "Started:",
        started,
      ]];
      await cli.terminal.out(formatTable(rows.filter(([, value]) => value !== ""), Infinity));
    }
    if (!job.startFailure) return 0;
    await cli.terminal.err(`joblet: ${job.startFailure.message}\n`);
    return exitCodeOf(job);
  });
});
