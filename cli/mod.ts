/** `joblet`: runs one command line. */
import { proposeCompletions, run } from "@stricli/core";
import { app } from "./app.ts";
import { prepareArguments } from "./arguments.ts";
import { BROKEN_PIPE_EXIT, type RunContext } from "./command.ts";
import type { CliContext } from "./context.ts";
import type { HostCommands } from "./host.ts";
import { RUN_VALUE_FLAGS } from "./tree/run_commands.ts";
import { processTerminal, type Terminal } from "./terminal.ts";

const USAGE_EXIT = 2;

/** What the parser takes for a process; it leaves its exit code here. */
interface ParserProcess {
  readonly stdout: { write(text: string): void };
  readonly stderr: { write(text: string): void };
  exitCode?: number | string | null;
}

/** Runs the words of a command line. @returns exit code: 0, 1 the server said no, 2 usage, or the job's own */
export async function runCli(words: readonly string[], host: HostCommands): Promise<number> {
  return await runWith(words, processContext(host));
}

/** The same with everything outside replaced, for tests. */
export async function runWith(words: readonly string[], cli: CliContext): Promise<number> {
  const { terminal } = cli;
  // The parser writes synchronously; what it wrote goes out when it has returned.
  let [out, err] = ["", ""];
  const process: ParserProcess = {
    stdout: { write: (text) => void (out += text) },
    stderr: { write: (text) => void (err += text) },
  };
  const context: RunContext = { cli, exitCode: 0, process };
  if (words[0] === "__complete") {
    await complete(words.slice(1), context);
    return 0;
  }
  await run(app, words.length === 0 ? ["--help"] : prepareArguments(words, RUN_VALUE_FLAGS), context);
  try {
    if (out !== "") await terminal.out(out);
    if (err !== "") await terminal.err(`joblet: ${err.trimEnd().replaceAll("\n", "; ")} (see 'joblet --help')\n`);
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    return BROKEN_PIPE_EXIT;
  }
  return Number(process.exitCode ?? 0) !== 0 ? USAGE_EXIT : context.exitCode;
}

async function complete(words: readonly string[], context: RunContext): Promise<void> {
  const proposals = await proposeCompletions(app, words, context);
  const lines = proposals.filter(({ completion }) => completion !== "--").map(({ completion, brief }) =>
    `${completion}\t${brief}\n`
  );
  await context.cli.terminal.out(lines.join(""));
}

function processContext(host: HostCommands): CliContext {
  const terminal: Terminal = processTerminal();
  return {
    terminal,
    host,
    connect: async (flags) => await (await import("./connect.ts")).connect(flags, terminal),
    connectOrStart: async (flags) => await (await import("./connect.ts")).connectOrStart(flags, terminal, host),
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    onInterrupt: (listener) => {
      const entries = (["SIGINT", "SIGTERM"] as const).map((signal) => ({ signal, handler: () => listener(signal) }));
      for (const { signal, handler } of entries) Deno.addSignalListener(signal, handler);
      return {
        [Symbol.dispose]: () => {
          for (const { signal, handler } of entries) Deno.removeSignalListener(signal, handler);
        },
      };
    },
  };
}
