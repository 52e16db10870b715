import type { Job, JobState } from "../../proto/gen/joblet/v1/job_pb.ts";
import { CALL_OPTIONS, clientCommand } from "../command.ts";
import type { Connection, GlobalFlags } from "../context.ts";
import { JOB_HEADINGS, jobJson, jobRow } from "../output/job_view.ts";
import { formatTable } from "../output/table.ts";

export interface ListFlags extends GlobalFlags {
  readonly limit?: number;
  readonly state?: readonly JobState[];
  readonly name?: string;
}

const PAGE_SIZE = 500;

/** `joblet ps` and `joblet job list`. */
export const list = clientCommand<ListFlags, []>(async (cli, connection, flags) => {
  const jobs = await readJobs(connection, flags);
  const { terminal } = cli;
  if (flags.json) {
    await terminal.out(`${JSON.stringify(jobs.map(jobJson), null, 2)}\n`);
  } else if (jobs.length === 0) {
    await terminal.err("joblet: no jobs\n");
  } else {
    const rows = jobs.map((job) => jobRow(job, terminal.colors));
    await terminal.out(formatTable([JOB_HEADINGS, ...rows], terminal.columns));
  }
  return 0;
});

/** All pages, up to the limit. */
async function readJobs(connection: Connection, flags: ListFlags): Promise<Job[]> {
  const limit = flags.limit ?? Infinity;
  const jobs: Job[] = [];
  for (let pageToken = ""; jobs.length < limit;) {
    const pageSize = Math.min(PAGE_SIZE, limit - jobs.length);
    const request = { pageSize, pageToken, states: [...flags.state ?? []], name: flags.name ?? "" };
    const page = await connection.jobs.listJobs(request, CALL_OPTIONS);
    jobs.push(...page.jobs);
    pageToken = page.nextPageToken;
    if (pageToken === "") break;
  }
  return jobs;
}
