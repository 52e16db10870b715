/** Runs one command line, of joblet or of one of its other faces. */
import { proposeCompletions, run } from "@stricli/core";
import { BROKEN_PIPE_EXIT, type RunContext } from "./command.ts";
import type { CliContext } from "./context.ts";
import type { ChosenFace } from "./faces/choose.ts";
import type { Face } from "./faces/face.ts";
import { loadFace } from "./faces/load.ts";
import type { HostCommands } from "./host.ts";
import { processTerminal, type Terminal } from "./terminal.ts";

const USAGE_EXIT = 2;

/** What the parser takes for a process; it leaves its exit code here. */
interface ParserProcess {
  readonly stdout: { write(text: string): void };
  readonly stderr: { write(text: string): void };
  exitCode?: number | string | null;
}

/** Runs the words of a command line. @returns exit code: 0, 1 the server said no, 2 usage, or the job's own */
export async function runCli(chosen: ChosenFace, host: HostCommands): Promise<number> {
  return await runWith(chosen, processContext(host, processTerminal(chosen.name)));
}

/** The same with everything outside replaced, for tests. */
export async function runWith({ name, words }: ChosenFace, cli: CliContext): Promise<number> {
  const { terminal } = cli;
  // The parser writes synchronously; what it wrote goes out when it has returned.
  let [out, err] = ["", ""];
  const process: ParserProcess = {
    stdout: { write: (text) => void (out += text) },
    stderr: { write: (text) => void (err += text) },
  };
  const context: RunContext = { cli, exitCode: 0, process };
  const face = await loadFace(name);
  if (words[0] === "__complete") {
    await complete(face, words.slice(1), context);
    return 0;
  }
  await run(face.app, words.length === 0 ? ["--help"] : face.prepare(words), context);
  try {
    if (out !== "") await terminal.out(out);
    if (err !== "") await terminal.err(`${name}: ${err.trimEnd().replaceAll("\n", "; ")} (see '${name} --help')\n`);
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    return BROKEN_PIPE_EXIT;
  }
  return Number(process.exitCode ?? 0) !== 0 ? USAGE_EXIT : context.exitCode;
}

async function complete({ app }: Face, words: readonly string[], context: RunContext): Promise<void> {
  const proposals = await proposeCompletions(app, words, context);
  const lines = proposals.filter(({ completion }) => completion !== "--").map(({ completion, brief }) =>
    `${completion}\t${brief}\n`
  );
  await context.cli.terminal.out(lines.join(""));
}

function processContext(host: HostCommands, terminal: Terminal): CliContext {
  return {
    terminal,
    host,
    connect: async (flags) => await (await import("./connect.ts")).connect(flags, terminal),
    connectOrStart: async (flags) => await (await import("./connect.ts")).connectOrStart(flags, terminal, host),
    nodes: async (flags) => await (await import("./connect.ts")).knownNodes(flags),
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
