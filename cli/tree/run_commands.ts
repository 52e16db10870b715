/** Commands that start jobs. */
import { buildCommand } from "@stricli/core";
import { SPEC_FLAGS } from "../commands/run_flags.ts";
import { COMMAND_WORDS, example } from "./parameters.ts";

const RUN_USAGE = ["[flags] [--] CMD [ARG]..."] as const;

export const run = buildCommand({
  loader: async () => (await import("../commands/run.ts")).run,
  parameters: {
    flags: {
      ...SPEC_FLAGS,
      detach: { kind: "boolean", brief: "Print only the job's id and return", default: false, withNegated: false },
    },
    aliases: { d: "detach", e: "env" },
    positional: COMMAND_WORDS,
  },
  docs: {
    brief: "Run a command as a job, in the foreground",
    customUsage: RUN_USAGE,
    fullDescription: example(
      "Shows the job's stdout and stderr and exits with its exit code: 128+N if it died of signal N, 124 at its timeout,\n" +
        "127 or 126 if the program is not found or not executable, 125 if the sandbox could not be set up. Ctrl-C stops the\n" +
        "job, a second Ctrl-C kills it. If the reader of the output goes away, the job is stopped. With --json or --detach\n" +
        "the job is started and not followed.",
      "joblet run echo 'Hello, Joblet!'",
      "joblet run --timeout 10m --env MODE=test -- make check",
      "joblet run --max-cpu 50 --max-memory 512M python3 -c 'print(1)'",
      "joblet run --dry-run true",
    ),
  },
});

export const jobRun = buildCommand({
  loader: async () => (await import("../commands/job_run.ts")).jobRun,
  parameters: { flags: SPEC_FLAGS, aliases: { e: "env" }, positional: COMMAND_WORDS },
  docs: {
    brief: "Start a job and return at once",
    customUsage: RUN_USAGE,
    fullDescription: example("Prints the job's id, command and state.", "joblet job run --name nightly ./backup.sh"),
  },
});

/** Flags of `run` that take a value, with their dashes. */
export const RUN_VALUE_FLAGS: ReadonlySet<string> = new Set([
  "-e",
  ...Object.entries(SPEC_FLAGS).filter(([, { kind }]) => kind === "parsed")
    .flatMap(([name]) => [`--${name}`, `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`]),
]);
