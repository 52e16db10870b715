import { JobState } from "../../../proto/gen/joblet/v1/job_pb.ts";

/** The five states that jobworker knows. */
const NAMES: Readonly<Record<JobState, string>> = {
  [JobState.UNSPECIFIED]: "PENDING",
  [JobState.PENDING]: "PENDING",
  [JobState.SCHEDULED]: "PENDING",
  [JobState.INITIALIZING]: "PENDING",
  [JobState.RUNNING]: "RUNNING",
  [JobState.STOPPING]: "RUNNING",
  [JobState.COMPLETED]: "COMPLETED",
  [JobState.FAILED]: "FAILED",
  [JobState.STOPPED]: "STOPPED",
  [JobState.CANCELED]: "STOPPED",
  [JobState.TIMEOUT]: "FAILED",
  [JobState.LOST]: "FAILED",
};

/** The state in jobworker's words; one that this client does not know is shown by number. */
export function workerState(state: JobState): string {
  return NAMES[state] ?? `UNKNOWN(${Number(state)})`;
}
