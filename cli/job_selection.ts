import type { JobState } from "../proto/gen/joblet/v1/job_pb.ts";
import type { CliContext, Connection, GlobalFlags } from "./context.ts";
import { CliError } from "./errors.ts";
import { type Label, labelMap } from "./labels.ts";
import { listJobs } from "./list_jobs.ts";

/** Jobs are named by their ids or by labels that they have in common. */
export interface SelectionFlags extends GlobalFlags {
  readonly label?: readonly Label[];
}

/** @throws {CliError} unless there are ids or labels, and not both */
export function checkSelection(flags: SelectionFlags, ...ids: readonly string[]): void {
  const labels = Object.keys(labelMap(flags.label)).length;
  if (ids.length === 0 && labels === 0) throw new CliError("Cannot choose jobs: give their ids or --label K=V", 2);
  if (ids.length > 0 && labels > 0) {
    throw new CliError("Cannot choose jobs by ids and by --label at once: give one or the other", 2);
  }
}

/** The ids as they were given; or those of all jobs that have the labels and are in one of the states. */
export async function selectJobs(
  cli: CliContext,
  connection: Connection,
  flags: SelectionFlags,
  ids: readonly string[],
  states: readonly JobState[],
): Promise<readonly string[]> {
  if (ids.length > 0) return ids;
  const jobs = await listJobs(connection, { states, labels: labelMap(flags.label) });
  if (jobs.length === 0) await cli.terminal.err("joblet: no jobs\n");
  return jobs.map(({ id }) => id);
}
