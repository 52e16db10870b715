import { CALL_OPTIONS, clientCommand } from "../command.ts";
import type { GlobalFlags } from "../context.ts";
import { forEachJob } from "../each_job.ts";
import { jobJson } from "../output/job_json.ts";
import { stateName } from "../output/state.ts";

/** `joblet cancel` and `joblet job cancel`. */
export const cancel = clientCommand<GlobalFlags, string[]>((cli, connection, flags, ...ids) =>
  forEachJob(cli, connection, ids, async (id) => {
    const { job } = await connection.jobs.cancelJob({ id }, CALL_OPTIONS);
    if (!job) throw new Error("Cannot cancel the job: the server sent none");
    await cli.terminal.out(`${flags.json ? JSON.stringify(jobJson(job)) : `${job.id}  ${stateName(job.state)}`}\n`);
    return 0;
  })
);
