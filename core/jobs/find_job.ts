import { EngineError } from "../errors.ts";
import type { JobStore } from "../state/store.ts";
import { isJobId, isJobIdPrefix } from "../values/job_id.ts";
import type { Job } from "./job.ts";

const PREFIX_MATCHES = 2;

/** The job that a whole id or the start of one means. @throws {EngineError} kind "not_found" or "invalid" */
export function findJob(store: JobStore, ref: string): Job {
  const exact = isJobId(ref) ? store.get(ref) : undefined;
  if (exact) return exact;
  if (!isJobIdPrefix(ref)) {
    throw new EngineError(
      "invalid",
      `Cannot use job id ${JSON.stringify(ref.slice(0, 40))}: it is no UUID or start of one`,
    );
  }
  const matches = store.findByPrefix(ref, PREFIX_MATCHES);
  if (matches.length > 1) {
    throw new EngineError("invalid", `Cannot tell which job '${ref}' is: it fits several; give more of the id`);
  }
  if (!matches[0]) throw unknownJob(ref);
  return matches[0];
}

/** There is no such job, or the caller is not to know of it. */
export function unknownJob(ref: string): EngineError {
  return new EngineError("not_found", `Cannot find job '${ref}'`);
}
