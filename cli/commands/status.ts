import { CALL_OPTIONS, clientCommand } from "../command.ts";
import type { GlobalFlags } from "../context.ts";
import { jobJson } from "../output/job_json.ts";
import { jobDetails } from "../output/job_view.ts";
import { formatTable } from "../output/table.ts";

/** `joblet status` and `joblet job status`. */
export const status = clientCommand<GlobalFlags, [string]>(async (cli, connection, flags, id) => {
  const { job } = await connection.jobs.getJob({ id }, CALL_OPTIONS);
  if (!job) throw new Error("Cannot show the job: the server sent none");
  const { terminal } = cli;
  if (flags.json) {
    await terminal.out(`${JSON.stringify(jobJson(job), null, 2)}\n`);
  } else {
    const rows = jobDetails(job, terminal.colors).map(([label, value]) => [`${label}:`, value]);
    await terminal.out(formatTable(rows, Infinity));
  }
  return 0;
});
