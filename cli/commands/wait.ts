import type { Job } from "../../proto/gen/joblet/v1/job_pb.ts";
import { clientCommand } from "../command.ts";
import type { CliContext, Connection, GlobalFlags } from "../context.ts";
import { forEachJob } from "../each_job.ts";
import { exitCodeOf } from "../exit_code.ts";
import { jobJson } from "../output/job_json.ts";
import { isTerminalState } from "../output/state.ts";
import { Reconnector } from "../reconnect.ts";

/** `joblet wait` and `joblet job wait`: exits as the job did, the last one's of several. */
export const wait = clientCommand<GlobalFlags, string[]>((cli, connection, flags, ...ids) =>
  forEachJob(cli, connection, ids, async (id) => {
    const job = await waitForEnd(cli, connection, id);
    if (flags.json) await cli.terminal.out(`${JSON.stringify(jobJson(job))}\n`);
    return exitCodeOf(job);
  })
);

/** The ended job, also if the connection breaks meanwhile. */
async function waitForEnd({ pause }: CliContext, connection: Connection, id: string): Promise<Job> {
  const reconnector = new Reconnector({ pause });
  for (;;) {
    // Leaving the loop early does not cancel the call by itself.
    const abort = new AbortController();
    try {
      for await (const { job } of connection.jobs.watchJob({ id }, { signal: abort.signal })) {
        reconnector.succeeded();
        if (job && isTerminalState(job.state)) return job;
      }
    } catch (error) {
      await reconnector.failed(error);
      continue;
    } finally {
      abort.abort();
    }
    throw new Error("Cannot wait for the job: the server ended the stream before the job ended");
  }
}
