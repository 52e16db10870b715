import type { JobState } from "../../proto/gen/joblet/v1/job_pb.ts";
import { clientCommand } from "../command.ts";
import type { GlobalFlags } from "../context.ts";
import { type Label, labelMap } from "../labels.ts";
import { listJobs } from "../list_jobs.ts";
import { jobJson } from "../output/job_json.ts";
import { JOB_HEADINGS, jobRow } from "../output/job_view.ts";
import { formatTable } from "../output/table.ts";

export interface ListFlags extends GlobalFlags {
  readonly limit?: number;
  readonly state?: readonly JobState[];
  readonly name?: string;
  readonly label?: readonly Label[];
}

/** `joblet ps` and `joblet job list`. */
export const list = clientCommand<ListFlags, []>(
  async ({ terminal }, connection, { json, limit = Infinity, state = [], name = "", label }) => {
    const jobs = await listJobs(connection, { limit, states: state, name, labels: labelMap(label) });
    if (json) {
      await terminal.out(`${JSON.stringify(jobs.map(jobJson), null, 2)}\n`);
    } else if (jobs.length === 0) {
      await terminal.err("joblet: no jobs\n");
    } else {
      const rows = jobs.map((job) => jobRow(job, terminal.colors));
      await terminal.out(formatTable([JOB_HEADINGS, ...rows], terminal.columns));
    }
    return 0;
  },
  ({ label }) => void labelMap(label),
);
