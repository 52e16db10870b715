import { EngineError } from "../../core/errors.ts";
import type { Job } from "../../core/jobs/job.ts";

/**
 * The job, unless it could not be started: for APIs whose answers have no room for the reason.
 * @throws {EngineError} kind "invalid" if the program is not there or not executable, else "precondition"
 */
export function assertStarted(job: Job): Job {
  const { status } = job;
  if (status.state !== "failed" || !status.failure) return job;
  const { exitCode, message } = status.failure;
  throw new EngineError(exitCode === 125 ? "precondition" : "invalid", `Cannot start job ${job.id}: ${message}`);
}
