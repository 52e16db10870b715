import type { Job, JobState } from "../proto/gen/joblet/v1/job_pb.ts";
import { CALL_OPTIONS } from "./command.ts";
import type { Connection } from "./context.ts";

export interface JobFilter {
  readonly states?: readonly JobState[];
  readonly name?: string;
  readonly labels?: Record<string, string>;
  /** @default {Infinity} */
  readonly limit?: number;
}

const PAGE_SIZE = 500;

/** All pages, up to the limit. */
export async function listJobs(connection: Connection, filter: JobFilter): Promise<Job[]> {
  const { states = [], name = "", labels = {}, limit = Infinity } = filter;
  const jobs: Job[] = [];
  for (let pageToken = ""; jobs.length < limit;) {
    const pageSize = Math.min(PAGE_SIZE, limit - jobs.length);
    const page = await connection.jobs.listJobs(
      { pageSize, pageToken, states: [...states], name, labels },
      CALL_OPTIONS,
    );
    jobs.push(...page.jobs);
    pageToken = page.nextPageToken;
    if (pageToken === "") break;
  }
  return jobs;
}
