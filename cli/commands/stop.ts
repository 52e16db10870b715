import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { clientCommand } from "../command.ts";
import type { GlobalFlags } from "../context.ts";
import { forEachJob } from "../each_job.ts";
import { exitText, jobJson } from "../output/job_view.ts";
import { stateName } from "../output/state.ts";

export interface StopFlags extends GlobalFlags {
  readonly signal?: string;
  readonly grace?: number;
}

/** `joblet stop` and `joblet job stop`: returns when the jobs have ended. */
export const stop = clientCommand<StopFlags, string[]>((cli, connection, flags, ...ids) =>
  forEachJob(cli, connection, ids, async (id) => {
    const grace = flags.grace === undefined ? {} : { grace: durationFromMs(flags.grace) };
    const { job } = await connection.jobs.stopJob({ id, signal: flags.signal ?? "", ...grace });
    if (!job) throw new Error("Cannot stop the job: the server sent none");
    const result = exitText(job);
    const line = `${job.id}  ${stateName(job.state)}${result === "" ? "" : `  ${result}`}`;
    await cli.terminal.out(`${flags.json ? JSON.stringify(jobJson(job)) : line}\n`);
    return 0;
  })
);
