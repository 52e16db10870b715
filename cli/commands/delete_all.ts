import type { JobState } from "../../proto/gen/joblet/v1/job_pb.ts";
import { clientCommand } from "../command.ts";
import type { GlobalFlags } from "../context.ts";
import { type Label, labelMap } from "../labels.ts";

export interface DeleteAllFlags extends GlobalFlags {
  readonly state?: readonly JobState[];
  readonly label?: readonly Label[];
}

/** Deleting the output of many jobs takes a disk its time. */
const DELETE_CALL = { timeoutMs: 600_000 } as const;

/** `joblet prune` and `joblet job delete-all`: all jobs that have ended and fit. */
export const deleteAll = clientCommand<DeleteAllFlags, []>(
  async ({ terminal }, connection, { json, state = [], label }) => {
    const request = { states: [...state], labels: labelMap(label) };
    const { deleted, skipped } = await connection.jobs.deleteJobs(request, DELETE_CALL);
    const message = `deleted ${deleted}, skipped ${skipped} (not ended)`;
    const result = { success: true, message, deleted_count: Number(deleted), skipped_count: Number(skipped) };
    await terminal.out(`${json ? JSON.stringify(result) : message}\n`);
    return 0;
  },
  ({ label }) => void labelMap(label),
);
