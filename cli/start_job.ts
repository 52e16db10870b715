import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Job, JobSpecSchema } from "../proto/gen/joblet/v1/job_pb.ts";
import type { CliContext, Connection } from "./context.ts";
import { callThrough } from "./reconnect.ts";

export type Spec = MessageInitShape<typeof JobSpecSchema>;

/** Deadline of a start, which waits until the program runs. */
const RUN_CALL = { timeoutMs: 60_000 } as const;

/**
 * Starts a job once, whatever happens to the connection meanwhile: sent again, the request carries the same key, so that the
 * server answers with the job that it made of the first one.
 */
export async function startJob({ pause }: CliContext, connection: Connection, spec: Spec): Promise<Job> {
  const request = { spec, idempotencyKey: crypto.randomUUID() };
  const { job } = await callThrough({ pause }, () => connection.jobs.runJob(request, RUN_CALL));
  if (!job) throw new Error("Cannot run a job: the server sent no job");
  return job;
}
