/** Deleting ended jobs, one or all that fit. */
import { EngineError } from "../errors.ts";
import type { LogStore } from "../logs/log_store.ts";
import type { JobStore } from "../state/store.ts";
import type { DeleteQuery, DeleteResult } from "./engine.ts";
import { isTerminal, isWaiting, type Job } from "./job.ts";
import { removeJobs } from "./retention.ts";
import type { Runner } from "./runner.ts";

interface RemovalParts {
  readonly store: JobStore;
  readonly logs: LogStore;
  readonly runner: Pick<Runner, "discard">;
}

const PAGE = 500;

/** @throws {EngineError} kind "precondition" if it has not ended */
export async function deleteJob(parts: RemovalParts, job: Job): Promise<void> {
  if (!isTerminal(job.status.state)) {
    const cure = isWaiting(job) ? "cancel" : "stop";
    throw new EngineError("precondition", `Cannot delete job '${job.id}': it is ${job.status.state}; ${cure} it first`);
  }
  await removeJobs(parts, [{ id: job.id, attempts: job.attempt }]);
}

export async function deleteJobs(parts: RemovalParts, query: DeleteQuery): Promise<DeleteResult> {
  let [deleted, skipped] = [0, 0];
  for (let pageToken: string | undefined, first = true; first || pageToken !== undefined; first = false) {
    const page = parts.store.list({ ...query, pageSize: PAGE, ...(pageToken === undefined ? {} : { pageToken }) });
    const ended = page.jobs.filter(({ status }) => isTerminal(status.state));
    await removeJobs(parts, ended.map(({ id, attempt }) => ({ id, attempts: attempt })));
    deleted += ended.length;
    skipped += page.jobs.length - ended.length;
    pageToken = page.nextPageToken;
  }
  return { deleted, skipped };
}
