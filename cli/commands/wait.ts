import { clientCommand } from "../command.ts";
import type { GlobalFlags } from "../context.ts";
import { forEachJob } from "../each_job.ts";
import { exitCodeOf } from "../exit_code.ts";
import { jobJson } from "../output/job_view.ts";
import { isTerminalState } from "../output/state.ts";

/** `joblet wait`: exits as the job did, the last one's of several. */
export const wait = clientCommand<GlobalFlags, string[]>((cli, connection, flags, ...ids) =>
  forEachJob(cli, connection, ids, async (id) => {
    for await (const { job } of connection.jobs.watchJob({ id })) {
      if (!job || !isTerminalState(job.state)) continue;
      if (flags.json) await cli.terminal.out(`${JSON.stringify(jobJson(job))}\n`);
      return exitCodeOf(job);
    }
    throw new Error("Cannot wait for the job: the server ended the stream before the job ended");
  })
);
