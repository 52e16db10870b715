import { type Job, JobState } from "../../../proto/gen/joblet/v1/job_pb.ts";
import { printable } from "../../output/table.ts";

/** What became of a job, read off its program's wait status alone, in jobc's words. */
export function statusText(job: Job): string {
  const { state, signal, exitCode, startFailure } = job;
  switch (state) {
    case JobState.PENDING:
    case JobState.SCHEDULED:
      return "pending";
    case JobState.INITIALIZING:
    case JobState.RUNNING:
    case JobState.STOPPING:
      return "running";
    case JobState.CANCELED:
      return "canceled";
    case JobState.LOST:
      return "lost";
  }
  if (startFailure) return `failed (${printable(startFailure.message)})`;
  if (signal !== undefined) return `stopped (signal: ${signal})`;
  if (exitCode !== undefined) return `finished (exit code: ${exitCode})`;
  return `unknown (state: ${JobState[state] ?? Number(state)})`;
}
