import { CALL_OPTIONS, clientCommand } from "../command.ts";
import { forEachJob } from "../each_job.ts";
import { checkSelection, type SelectionFlags, selectJobs } from "../job_selection.ts";
import { TERMINAL_STATES } from "../output/state.ts";

/** `joblet rm` and `joblet job delete`. */
export const remove = clientCommand<SelectionFlags, string[]>(async (cli, connection, flags, ...words) => {
  const ids = await selectJobs(cli, connection, flags, words, TERMINAL_STATES);
  return await forEachJob(cli, connection, ids, async (id) => {
    await connection.jobs.deleteJob({ id }, CALL_OPTIONS);
    await cli.terminal.out(`${flags.json ? JSON.stringify({ id, deleted: true }) : id}\n`);
    return 0;
  });
}, checkSelection);
