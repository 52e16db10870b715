import { CALL_OPTIONS, clientCommand } from "../command.ts";
import type { GlobalFlags } from "../context.ts";
import { forEachJob } from "../each_job.ts";

/** `joblet rm` and `joblet job delete`. */
export const remove = clientCommand<GlobalFlags, string[]>((cli, connection, flags, ...ids) =>
  forEachJob(cli, connection, ids, async (id) => {
    await connection.jobs.deleteJob({ id }, CALL_OPTIONS);
    await cli.terminal.out(`${flags.json ? JSON.stringify({ id, deleted: true }) : id}\n`);
    return 0;
  })
);
