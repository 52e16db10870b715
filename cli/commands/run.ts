import { type Job, JobState } from "../../proto/gen/joblet/v1/job_pb.ts";
import { command, withAddress } from "../command.ts";
import type { CliContext, Connection } from "../context.ts";
import { describeError } from "../errors.ts";
import { exitCodeOf } from "../exit_code.ts";
import { copyLogs } from "../logs/copy.ts";
import { rawSink } from "../logs/sink.ts";
import { jobJson } from "../output/job_json.ts";
import { isoTime } from "../output/times.ts";
import { printable } from "../output/table.ts";
import { type Spec, startJob } from "../start_job.ts";
import { showPlan } from "./plan.ts";
import { type SpecFlags, toSpec } from "./run_flags.ts";

export interface RunFlags extends SpecFlags {
  readonly detach: boolean;
}

/** `joblet run`: in the foreground, as if the program were run here. */
export const run = command<RunFlags, string[]>(async (cli, flags, ...words) => {
  const spec = toSpec(flags, words);
  using connection = await cli.connectOrStart(flags);
  return await withAddress(connection, async () => {
    if (flags.dryRun) return await showPlan(cli, connection, spec, flags.json);
    if (flags.detach || flags.json) return await detach(cli, connection, spec, flags.json);
    return await attach(cli, connection, spec);
  });
});

async function detach(cli: CliContext, connection: Connection, spec: Spec, json: boolean): Promise<number> {
  const job = await startJob(cli, connection, spec);
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
  const stops: Promise<void>[] = [];
  // Listens before the start is asked for, so that an interrupt meanwhile does not leave a job behind.
  using _interrupts = cli.onInterrupt((signal) => {
    const wanted = stops.length > 0 ? "SIGKILL" : signal;
    // A start that fails is told below; it leaves nothing to stop.
    stops.push(starting.promise.then(({ id }) => requestStop(cli, connection, id, wanted), () => {}));
  });
  startJob(cli, connection, spec).then(starting.resolve, starting.reject);
  const job = await starting.promise;
  if (job.startFailure) return await tellFailure(cli, job);
  if (job.state === JobState.SCHEDULED) {
    await cli.terminal.out(`${job.id}  scheduled for ${isoTime(job.scheduledAt)}\n`);
    await Promise.all(stops);
    return 0;
  }
  if (job.state === JobState.PENDING) await cli.terminal.err(`joblet: waiting: ${printable(job.waitingFor)}\n`);
  return await follow(cli, connection, job.id);
}

async function follow(cli: CliContext, connection: Connection, id: string): Promise<number> {
  const { terminal, pause } = cli;
  try {
    const job = await copyLogs(connection, { id, follow: true }, rawSink(terminal), { pause, reached: true });
    if (!job) throw new Error("Cannot follow the job: its log ended before it did");
    return await tellEnd(cli, job);
  } catch (error) {
    // Whoever read our output has gone: the job goes as a program in a pipe would.
    if (error instanceof Deno.errors.BrokenPipe) await requestStop(cli, connection, id, "SIGTERM");
    throw error;
  }
}

/** Ends that the program's own output and exit code say nothing of. */
async function tellEnd({ terminal }: CliContext, job: Job): Promise<number> {
  if (job.startFailure) await terminal.err(`joblet: ${job.startFailure.message}\n`);
  else if (job.state === JobState.CANCELED) await terminal.err("joblet: the job was canceled\n");
  else if (job.state === JobState.LOST) {
    await terminal.err(`joblet: the job was lost: ${printable(job.endDetail || "nobody saw how it ended")}\n`);
  } else if (job.endDetail !== "") await terminal.err(`joblet: ${printable(job.endDetail)}\n`);
  return exitCodeOf(job);
}

/** A stop that could not be passed on is told; the output goes on, as the connection may come back. */
async function requestStop(cli: CliContext, connection: Connection, id: string, signal: string): Promise<void> {
  try {
    await connection.jobs.stopJob({ id, signal });
  } catch (error) {
    await cli.terminal.err(`joblet: Cannot stop the job ${id}: ${describeError(error, connection.address).message}\n`);
  }
}
