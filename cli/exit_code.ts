import { type Job, JobState } from "../proto/gen/joblet/v1/job_pb.ts";

/** What timeout(1) exits with. */
const TIMED_OUT = 124;
const SIGNAL_BASE = 128;
/** The job never ran, or nobody saw how it ended. */
const NO_OWN_CODE = 125;

/** The exit code of a command that ran this job in the foreground, as a shell would give it. */
export function exitCodeOf(job: Job): number {
  if (job.startFailure) return job.startFailure.exitCode;
  if (job.state === JobState.TIMEOUT) return TIMED_OUT;
  if (job.state === JobState.CANCELED || job.state === JobState.LOST) return NO_OWN_CODE;
  if (job.exitCode !== undefined) return job.exitCode;
  if (job.signal !== undefined) return SIGNAL_BASE + job.signal;
  return NO_OWN_CODE;
}
