import { command } from "../../command.ts";
import { CliError } from "../../errors.ts";

/** A command that only tells what it would need. */
export function missing(name: string, feature: string) {
  return command<Record<never, never>, string[]>(() =>
    Promise.reject(new CliError(`Cannot run 'rnx ${name}': joblet has no ${feature} yet`))
  );
}
