import type { CliContext, Connection } from "./context.ts";
import { describeError } from "./errors.ts";

export interface EachJobOptions {
  /** How many jobs are dealt with side by side. @default {1} */
  readonly atOnce?: number;
}

/**
 * Does something to each job; a failure is told and does not hold up the others.
 * @returns the last job's exit code, or that of the last failure
 */
export async function forEachJob(
  cli: CliContext,
  connection: Connection,
  ids: readonly string[],
  action: (id: string) => Promise<number>,
  { atOnce = 1 }: EachJobOptions = {},
): Promise<number> {
  const codes: number[] = [];
  const failures: number[] = [];
  let next = 0;
  const work = async () => {
    while (next < ids.length) {
      const at = next++;
      try {
        codes[at] = await action(ids[at]!);
      } catch (error) {
        if (error instanceof Deno.errors.BrokenPipe) {
          next = ids.length;
          throw error;
        }
        const { message, exitCode } = describeError(error, connection.address);
        await cli.terminal.err(`${cli.terminal.program}: ${message}\n`);
        failures[at] = exitCode;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, ids.length) }, work));
  return failures.at(-1) ?? codes.at(-1) ?? 0;
}
