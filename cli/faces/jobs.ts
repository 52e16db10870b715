/** Calls that the faces have in common. */
import type { Job } from "../../proto/gen/joblet/v1/job_pb.ts";
import { CALL_OPTIONS } from "../command.ts";
import type { CliContext, Connection } from "../context.ts";
import { CliError } from "../errors.ts";
import { type Spec, startJob } from "../start_job.ts";

/** A job whose program runs, or that waits. @throws {CliError} it could not be started, and why */
export async function startedJob(cli: CliContext, connection: Connection, spec: Spec): Promise<Job> {
  const job = await startJob(cli, connection, spec);
  if (job.startFailure) throw new CliError(`Cannot start job ${job.id}: ${job.startFailure.message}`);
  return job;
}

export async function fetchJob(connection: Connection, id: string): Promise<Job> {
  const { job } = await connection.jobs.getJob({ id }, CALL_OPTIONS);
  if (!job) throw new Error("Cannot show the job: the server sent none");
  return job;
}

/** How a job is stopped; what is absent is the server's to choose. */
export type StopWish = Omit<Parameters<Connection["jobs"]["stopJob"]>[0], "id" | "$typeName">;

/** The job when it has ended. */
export async function stoppedJob(connection: Connection, id: string, wish: StopWish = {}): Promise<Job> {
  const { job } = await connection.jobs.stopJob({ ...wish, id });
  if (!job) throw new Error("Cannot stop the job: the server sent none");
  return job;
}
