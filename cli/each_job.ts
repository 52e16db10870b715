import type { CliContext, Connection } from "./context.ts";
import { describeError } from "./errors.ts";

/**
 * Does something to each job, in order; a failure is told and does not hold up the others.
 * @returns the last job's exit code, or that of the last failure
 */
export async function forEachJob(
  cli: CliContext,
  connection: Connection,
  ids: readonly string[],
  action: (id: string) => Promise<number>,
): Promise<number> {
  let failure: number | undefined;
  let last = 0;
  for (const id of ids) {
    try {
      last = await action(id);
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) throw error;
      const { message, exitCode } = describeError(error, connection.address);
      await cli.terminal.err(`joblet: ${message}\n`);
      failure = exitCode;
    }
  }
  return failure ?? last;
}
