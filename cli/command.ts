/** What all commands have in common: global flags, and errors as one line and an exit code. */
import type { CommandContext } from "@stricli/core";
import type { CliContext, Connection, NodeFlags } from "./context.ts";
import { describeError } from "./errors.ts";

/** The context that the parser hands to a command. */
export interface RunContext extends CommandContext {
  readonly cli: CliContext;
  /** Set by the command; 0 if it is not. */
  exitCode: number;
}

/** Flags that say which server is meant, for a command's parameters. */
export const NODE_FLAGS = {
  node: { kind: "parsed", parse: String, brief: "Node in the configuration file", placeholder: "NAME", optional: true },
  config: {
    kind: "parsed",
    parse: String,
    brief: "Configuration file (default: searched)",
    placeholder: "FILE",
    optional: true,
  },
} as const;

/** Flags of every client command of joblet, for its parameters. */
export const GLOBAL_FLAGS = {
  json: { kind: "boolean", brief: "Print JSON", default: false, withNegated: false },
  ...NODE_FLAGS,
} as const;

/** 128 + SIGPIPE, as other programs end. */
export const BROKEN_PIPE_EXIT = 141;

/**
 * Makes a function for the parser out of one that returns an exit code. Expected failures become one line on stderr; a
 * reader of stdout that has gone ends the command quietly.
 */
export function command<Flags, Args extends readonly (string | undefined)[]>(
  body: (cli: CliContext, flags: Flags, ...args: Args) => Promise<number>,
): (this: RunContext, flags: Flags, ...args: Args) => Promise<void> {
  return async function (flags, ...args) {
    try {
      this.exitCode = await body(this.cli, flags, ...args);
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) {
        this.exitCode = BROKEN_PIPE_EXIT;
        return;
      }
      const { message, exitCode } = describeError(error, "");
      await this.cli.terminal.err(`${this.cli.terminal.program}: ${message}\n`);
      this.exitCode = exitCode;
    }
  };
}

/**
 * Like `command`, with a connection to the node that the flags name, closed at the end.
 * @param check throws where flags and words do not fit together, before anything is connected to
 */
export function clientCommand<Flags extends NodeFlags, Args extends readonly string[]>(
  body: (cli: CliContext, connection: Connection, flags: Flags, ...args: Args) => Promise<number>,
  check?: (flags: Flags, ...args: Args) => void,
): (this: RunContext, flags: Flags, ...args: Args) => Promise<void> {
  return command<Flags, Args>(async (cli, flags, ...args) => {
    check?.(flags, ...args);
    using connection = await cli.connect(flags);
    return await withAddress(connection, () => body(cli, connection, flags, ...args));
  });
}

/** Runs calls to a server; failures of the connection name its address. */
export async function withAddress<T>(connection: Connection, calls: () => Promise<T>): Promise<T> {
  try {
    return await calls();
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) throw error;
    throw describeError(error, connection.address);
  }
}

/** Deadline of calls that only read or write a record. */
export const CALL_OPTIONS = { timeoutMs: 10_000 } as const;
