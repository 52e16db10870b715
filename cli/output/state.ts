import { EndReason, JobState } from "../../proto/gen/joblet/v1/job_pb.ts";

/** States that a job can still leave. */
export const LIVE_STATES: readonly JobState[] = [
  JobState.PENDING,
  JobState.SCHEDULED,
  JobState.INITIALIZING,
  JobState.RUNNING,
  JobState.STOPPING,
];

/** States that jobs end in. */
export const TERMINAL_STATES: readonly JobState[] = [
  JobState.COMPLETED,
  JobState.FAILED,
  JobState.STOPPED,
  JobState.CANCELED,
  JobState.TIMEOUT,
  JobState.LOST,
];

const COLORS: Partial<Record<JobState, number>> = {
  [JobState.PENDING]: 33,
  [JobState.SCHEDULED]: 34,
  [JobState.RUNNING]: 36,
  [JobState.STOPPING]: 33,
  [JobState.COMPLETED]: 32,
  [JobState.FAILED]: 31,
  [JobState.TIMEOUT]: 31,
  [JobState.LOST]: 31,
  [JobState.STOPPED]: 33,
  [JobState.CANCELED]: 33,
};

/** "RUNNING"; a state that this client does not know is shown by number. */
export function stateName(state: JobState): string {
  return JobState[state] ?? `UNKNOWN(${Number(state)})`;
}

/** The name, coloured where colours are wanted. */
export function paintState(state: JobState, colors: boolean): string {
  const color = COLORS[state];
  return colors && color !== undefined ? `\x1b[${color}m${stateName(state)}\x1b[0m` : stateName(state);
}

/** "OUT_OF_MEMORY"; empty while there is none. */
export function reasonName(reason: EndReason): string {
  return reason === EndReason.UNSPECIFIED ? "" : EndReason[reason] ?? `UNKNOWN(${Number(reason)})`;
}

export function isTerminalState(state: JobState): boolean {
  return TERMINAL_STATES.includes(state);
}

/** State by name, in any case. @throws {RangeError} with the names there are */
export function parseState(text: string): JobState {
  const names = Object.keys(JobState).filter((name) => /^[A-Z]+$/.test(name) && name !== "UNSPECIFIED");
  const name = names.find((candidate) => candidate === text.toUpperCase());
  if (name === undefined) throw new RangeError(`Cannot use state '${text}': it must be one of ${names.join(", ")}`);
  return JobState[name as keyof typeof JobState];
}
