/** Commands that start jobs. */
import { buildCommand } from "@stricli/core";
import { valueFlagsOf } from "../arguments.ts";
import { SPEC_FLAGS } from "../commands/run_flags.ts";
import { COMMAND_WORDS, example } from "./parameters.ts";

/** In the help of all commands that start jobs. */
const SECRETS_HELP =
  "What is given with --secret-env and --secret-file is encrypted where it is stored, and no command shows it again. The\n" +
  "same goes for --env with a name that looks secret: SECRET_*, *_TOKEN, *_KEY, *_PASSWORD, *_SECRET. Give --secret-env\n" +
  "the NAME alone to keep the value out of the shell's history and of the list of processes.";

const RUN_USAGE = ["[flags] [--] CMD [ARG]..."] as const;

export const run = buildCommand({
  loader: async () => (await import("../commands/run.ts")).run,
  parameters: {
    flags: {
      ...SPEC_FLAGS,
      detach: { kind: "boolean", brief: "Print only the job's id and return", default: false, withNegated: false },
    },
    aliases: { d: "detach", e: "env", s: "secretEnv" },
    positional: COMMAND_WORDS,
  },
  docs: {
    brief: "Run a command as a job, in the foreground",
    customUsage: RUN_USAGE,
    fullDescription: example(
      "Shows the job's stdout and stderr and exits with its exit code: 128+N if it died of signal N, 124 at its timeout,\n" +
        "127 or 126 if the program is not found or not executable, 125 if the sandbox could not be set up or the job was\n" +
        "canceled or lost. Ctrl-C stops the job, a second Ctrl-C kills it. If the reader of the output goes away, the job is\n" +
        "stopped. A server that is restarted meanwhile is waited for. With --json or --detach the job is started and not\n" +
        "followed.\n\n" +
        "A job that has to wait for resources is followed once it starts; of those that wait the highest --priority goes\n" +
        "first. With --schedule it is only handed over: one that recurs starts a job of its own for each run, until it is\n" +
        "canceled. With --retries the output of all attempts is shown, and the last one's exit code counts.\n\n" +
        SECRETS_HELP,
      "joblet run echo 'Hello, Joblet!'",
      "joblet run --timeout 10m --env MODE=test -- make check",
      "joblet run --max-cpu 50 --max-memory 512M python3 -c 'print(1)'",
      "joblet run --profile strict --max-disk 64M --timeout 30s python3 untrusted.py",
      "joblet run --retries 3 --retry-delay 30s --retry-on exit,oom ./sync.sh",
      "joblet run --schedule 07:30 --time-zone Europe/Berlin --label team=red ./report.sh",
      "joblet run --schedule '0 3 * * *' --overlap skip ./backup.sh",
      "joblet run --priority -5 ./tidy.sh",
      "joblet run --secret-env API_TOKEN --secret-file tls.key=./my.key ./deploy.sh",
      "joblet run --dry-run true",
    ),
  },
});

export const jobRun = buildCommand({
  loader: async () => (await import("../commands/job_run.ts")).jobRun,
  parameters: { flags: SPEC_FLAGS, aliases: { e: "env", s: "secretEnv" }, positional: COMMAND_WORDS },
  docs: {
    brief: "Start a job and return at once",
    customUsage: RUN_USAGE,
    fullDescription: example(
      `Prints the job's id, command and state, and when it is scheduled or what it waits for.\n\n${SECRETS_HELP}`,
      "joblet job run --name nightly ./backup.sh",
      "joblet job run --secret-env API_TOKEN ./deploy.sh",
      "joblet job run --schedule 2h30m ./report.sh",
    ),
  },
});

/** Flags of `run` that take a value, with their dashes. */
export const RUN_VALUE_FLAGS: ReadonlySet<string> = valueFlagsOf(SPEC_FLAGS, ["e", "s"]);
