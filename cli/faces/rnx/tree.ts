/** Commands of rnx that joblet has: names and help. */
import { buildCommand } from "@stricli/core";
import { JobState } from "../../../proto/gen/joblet/v1/job_pb.ts";
import { GLOBAL_FLAGS } from "../../command.ts";
import { LIVE_STATES, TERMINAL_STATES } from "../../output/state.ts";
import { COMMAND_WORDS, example, jobId, TAIL_FLAG } from "../../tree/parameters.ts";
import { RUN_FLAGS } from "./run_flags.ts";

const commands = () => import("./job_commands.ts");
const waiting = [JobState.PENDING, JobState.SCHEDULED];

/** @param name as it is typed: "job run", or "run" as older versions spelled it */
export function runCommand(name: string) {
  return buildCommand({
    loader: async () => (await import("./job_run.ts")).jobRun,
    parameters: { flags: RUN_FLAGS, aliases: { e: "env", s: "secretEnv" }, positional: COMMAND_WORDS },
    docs: {
      brief: "Start a job and return at once",
      customUsage: ["[flags] [--] CMD [ARG]..."],
      fullDescription: example(
        "Prints the job's id, command and status, and when it is scheduled. Flags stand before the program; everything from\n" +
          "the program on is the job's. A value stands behind = or in the next word.",
        `rnx ${name} echo "Hello, Joblet!"`,
        `rnx ${name} --max-cpu=50 --max-memory=512 python3 -c 'print(1)'`,
        `rnx ${name} --env=MODE=test -s API_KEY=abc --timeout=5m ./health-check.sh`,
        `rnx ${name} --schedule=2h30m ./report.sh`,
        `rnx ${name} --schedule='30 min' --json ./report.sh`,
      ),
    },
  });
}

export const listCommand = (name: string) =>
  buildCommand({
    loader: async () => (await commands()).list,
    parameters: { flags: GLOBAL_FLAGS },
    docs: {
      brief: "List jobs, newest first",
      fullDescription: example(
        "Those that you may see. Of those that wait for their time it is shown in place of their start.",
        `rnx ${name}`,
        `rnx ${name} --json`,
      ),
    },
  });

export const statusCommand = (name: string) =>
  buildCommand({
    loader: async () => (await commands()).status,
    parameters: {
      flags: {
        ...GLOBAL_FLAGS,
        workflow: { kind: "boolean", brief: "joblet has no workflows yet", default: false, withNegated: false },
        detail: { kind: "boolean", brief: "joblet has no workflows yet", default: false, withNegated: false },
      },
      positional: jobId([]),
    },
    docs: {
      brief: "Show one job",
      fullDescription: example("Secrets are shown as ***.", `rnx ${name} 3f2a`, `rnx ${name} --json 3f2a`),
    },
  });

export const logCommand = (name: string) =>
  buildCommand({
    loader: async () => (await commands()).log,
    parameters: {
      flags: {
        ...GLOBAL_FLAGS,
        follow: { kind: "boolean", brief: "Go on until the job ends", default: true },
        tail: TAIL_FLAG,
      },
      aliases: { f: "follow" },
      positional: jobId([]),
    },
    docs: {
      brief: "Show a job's output, what there is and what comes",
      fullDescription: example(
        "Byte for byte, stdout and stderr together in the order in which they were written. With --json each piece is an\n" +
          'object with "timestamp" and "data", and "base64" where it is no UTF-8.',
        `rnx ${name} 3f2a`,
        `rnx ${name} --no-follow --tail 100 3f2a`,
      ),
    },
  });

export const stopCommand = (name: string) =>
  buildCommand({
    loader: async () => (await commands()).stop,
    parameters: { flags: GLOBAL_FLAGS, positional: jobId(LIVE_STATES) },
    docs: {
      brief: "Stop a job",
      fullDescription: example(
        "Sends SIGTERM and, after the server's grace of 10s, kills every process of the job. Returns when it has ended.",
        `rnx ${name} 3f2a`,
      ),
    },
  });

export const cancel = buildCommand({
  loader: async () => (await commands()).cancel,
  parameters: { flags: GLOBAL_FLAGS, positional: jobId(waiting) },
  docs: {
    brief: "Call off a job that waits",
    fullDescription: example("For its time or for resources.", "rnx job cancel 3f2a"),
  },
});

export const remove = buildCommand({
  loader: async () => (await commands()).remove,
  parameters: { flags: GLOBAL_FLAGS, positional: jobId(TERMINAL_STATES) },
  docs: {
    brief: "Delete a job that has ended, and its output",
    fullDescription: example("A job that runs must be stopped first.", "rnx job delete 3f2a"),
  },
});

export const removeAll = buildCommand({
  loader: async () => (await commands()).removeAll,
  parameters: { flags: GLOBAL_FLAGS },
  docs: {
    brief: "Delete all jobs that have ended, and their output",
    fullDescription: example("Of those that you may delete.", "rnx job delete-all", "rnx job delete-all --json"),
  },
});

export const nodes = buildCommand({
  loader: async () => (await import("./nodes.ts")).nodes,
  parameters: { flags: GLOBAL_FLAGS },
  docs: {
    brief: "List the servers of the configuration file and ask each whether it is there",
    fullDescription: example(
      "active: it answers and takes your certificate; unreachable: nobody answers within 2 s; refused: it answers, and why not.",
      "rnx nodes",
      "rnx nodes --json",
    ),
  },
});

export const version = buildCommand({
  loader: async () => (await import("./nodes.ts")).version,
  parameters: { flags: GLOBAL_FLAGS },
  docs: {
    brief: "Show the client's version and whether its server answers",
    fullDescription: example("The same as --version.", "rnx --version", "rnx version --json"),
  },
});

export const configHelp = buildCommand({
  loader: async () => (await import("./config_help.ts")).configHelp,
  parameters: {},
  docs: { brief: "Tell how rnx-config.yml is written", fullDescription: example("", "rnx config-help") },
});
