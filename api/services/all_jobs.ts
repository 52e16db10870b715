import type { Engine, JobQuery } from "../../core/jobs/engine.ts";
import type { Job } from "../../core/jobs/job.ts";

const PAGE_SIZE = 1000;

/** All jobs that the query fits, newest first: for APIs whose lists have no pages. */
export function allJobs(engine: Engine, query: Pick<JobQuery, "owner">): Job[] {
  const jobs: Job[] = [];
  let pageToken: string | undefined;
  do {
    const page = engine.list({ ...query, pageSize: PAGE_SIZE, ...(pageToken !== undefined && { pageToken }) });
    jobs.push(...page.jobs);
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
  return jobs;
}
