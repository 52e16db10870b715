import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { clientCommand } from "../command.ts";
import { forEachJob } from "../each_job.ts";
import { checkSelection, type SelectionFlags, selectJobs } from "../job_selection.ts";
import { jobJson } from "../output/job_json.ts";
import { exitText } from "../output/job_view.ts";
import { LIVE_STATES, stateName } from "../output/state.ts";

export interface StopFlags extends SelectionFlags {
  readonly signal?: string;
  readonly grace?: number;
}

/** Each stop may take as long as the grace. */
const AT_ONCE = 16;

/** `joblet stop` and `joblet job stop`: returns when the jobs have ended. */
export const stop = clientCommand<StopFlags, string[]>(async (cli, connection, flags, ...words) => {
  const ids = await selectJobs(cli, connection, flags, words, LIVE_STATES);
  const grace = flags.grace === undefined ? {} : { grace: durationFromMs(flags.grace) };
  return await forEachJob(cli, connection, ids, async (id) => {
    const { job } = await connection.jobs.stopJob({ id, signal: flags.signal ?? "", ...grace });
    if (!job) throw new Error("Cannot stop the job: the server sent none");
    const result = exitText(job);
    const line = `${job.id}  ${stateName(job.state)}${result === "" ? "" : `  ${result}`}`;
    await cli.terminal.out(`${flags.json ? JSON.stringify(jobJson(job)) : line}\n`);
    return 0;
  }, { atOnce: AT_ONCE });
}, checkSelection);
