import type { Job } from "../../proto/gen/joblet/v1/job_pb.ts";
import { command, withAddress } from "../command.ts";
import type { CliContext, Connection } from "../context.ts";
import { describeError } from "../errors.ts";
import { exitCodeOf } from "../exit_code.ts";
import { jobJson } from "../output/job_view.ts";
import { copyLogs } from "../stream_logs.ts";
import { showPlan } from "./plan.ts";
import { RUN_CALL, type SpecFlags, toSpec } from "./run_flags.ts";

export interface RunFlags extends SpecFlags {
  readonly detach: boolean;
}

/** `joblet run`: in the foreground, as if the program were run here. */
export const run = command<RunFlags, string[]>(async (cli, flags, ...words) => {
  using connection = await cli.connectOrStart(flags);
  return await withAddress(connection, async () => {
    const spec = toSpec(flags, words);
    if (flags.dryRun) return await showPlan(cli, connection, spec, flags.json);
    if (flags.detach || flags.json) return await detach(cli, connection, spec, flags.json);
    return await attach(cli, connection, spec);
  });
});

type Spec = ReturnType<typeof toSpec>;

async function start(connection: Connection, spec: Spec): Promise<Job> {
  const { job } = await connection.jobs.runJob({ spec }, RUN_CALL);
  if (!job) throw new Error("Cannot run a job: the server sent no job");
  return job;
}

async function detach(cli: CliContext, connection: Connection, spec: Spec, json: boolean): Promise<number> {
  const job = await start(connection, spec);
  if (json || !job.startFailure) await cli.terminal.out(json ? `${JSON.stringify(jobJson(job))}\n` : `${job.id}\n`);
  return job.startFailure ? await tellFailure(cli, job) : 0;
}

async function tellFailure(cli: CliContext, job: Job): Promise<number> {
  await cli.terminal.err(`joblet: ${job.startFailure?.message}\n`);
  return exitCodeOf(job);
}

/** Shows the output until the job has ended; the first interrupt stops the job, the second kills it. */
async function attach(cli: CliContext, connection: Connection, spec: Spec): Promise<number> {
  const starting = Promise.withResolvers<Job>();
  let interrupts = 0;
  // Listens before the start is asked for, so that an interrupt meanwhile does not leave a job behind.
  using _interrupts = cli.onInterrupt((signal) => {
    const wanted = ++interrupts > 1 ? "SIGKILL" : signal;
    // A start that fails is told below; it leaves nothing to stop.
    starting.promise.then(({ id }) => requestStop(cli, connection, id, wanted), () => {});
  });
  start(connection, spec).then(starting.resolve, starting.reject);
  const started = await starting.promise;
  const { id } = started;
  if (started.startFailure) return await tellFailure(cli, started);
  try {
    const job = await copyLogs(connection, id, cli.terminal, { follow: true, reached: true });
    if (!job) throw new Error("Cannot follow the job: its log ended before it did");
    return exitCodeOf(job);
  } catch (error) {
    // Whoever read our output has gone: the job goes as a program in a pipe would.
    if (error instanceof Deno.errors.BrokenPipe) await requestStop(cli, connection, id, "SIGTERM");
    throw error;
  }
}

/** A stop that could not be passed on is told; the output goes on, as the connection may come back. */
async function requestStop(cli: CliContext, connection: Connection, id: string, signal: string): Promise<void> {
  try {
    await connection.jobs.stopJob({ id, signal });
  } catch (error) {
    await cli.terminal.err(`joblet: Cannot stop the job ${id}: ${describeError(error, connection.address).message}\n`);
  }
}
