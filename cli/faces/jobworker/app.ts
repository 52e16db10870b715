/** `jobworker`: start, status, stream, stop and list. */
import { buildCommand, buildRouteMap } from "@stricli/core";
import { parseBytes } from "../../../core/values/bytes.ts";
import { prepareArguments, valueFlagsOf } from "../../arguments.ts";
import { NODE_FLAGS } from "../../command.ts";
import { LIMIT_FLAGS, TIMEOUT_FLAG } from "../../commands/limit_flags.ts";
import { completionCommand } from "../../tree/completion_command.ts";
import { COMMAND_WORDS, example, JOB_ID } from "../../tree/parameters.ts";
import { buildFace, type Face } from "../face.ts";
import { prepareStart } from "./command_line.ts";

const START_FLAGS = {
  ...NODE_FLAGS,
  cpuWeight: LIMIT_FLAGS.cpuWeight,
  memoryLimit: {
    kind: "parsed",
    parse: (text: string) => parseBytes(text),
    brief: "Memory limit, beyond it the job is killed: 100M, 2G; a bare number is bytes",
    placeholder: "SIZE",
    optional: true,
  },
  ioWeight: LIMIT_FLAGS.ioWeight,
  timeout: TIMEOUT_FLAG,
} as const;

const commands = () => import("./commands.ts");

const root = buildRouteMap({
  routes: {
    start: buildCommand({
      loader: async () => (await commands()).start,
      parameters: { flags: START_FLAGS, positional: COMMAND_WORDS },
      docs: {
        brief: "Start a job",
        customUsage: ["[options] COMMAND [options]", "[options] [--] CMD [ARG]... [options]"],
        fullDescription: example(
          "A command in one word is split at its blanks, with quotes and backslashes as in a shell; nothing is expanded.\n" +
            "Several words are the program and its arguments as they are. Options stand before the command or behind it; all\n" +
            "behind -- is the command's. The weights are those of cgroup v2.",
          `jobworker start "echo 'Life is Great'" --cpu-weight 1024 --memory-limit 100M --io-weight 100`,
          "jobworker start --timeout 10m make check",
          "jobworker start -- ls -la /",
        ),
      },
    }),
    status: buildCommand({
      loader: async () => (await commands()).status,
      parameters: { flags: NODE_FLAGS, positional: JOB_ID },
      docs: {
        brief: "Show a job's state and what it uses",
        fullDescription: example(
          "CPU time is in microseconds, sizes are in binary units. Of a job that has ended the memory is that of its peak, and\n" +
            "exit code or signal, and the reason are added.",
          "jobworker status 550e8400",
        ),
      },
    }),
    stream: buildCommand({
      loader: async () => (await commands()).stream,
      parameters: { flags: NODE_FLAGS, positional: JOB_ID },
      docs: {
        brief: "Show a job's output until it ends",
        fullDescription: example(
          "From the first byte on, stdout and stderr together in the order in which they were written.",
          "jobworker stream 550e8400",
        ),
      },
    }),
    stop: buildCommand({
      loader: async () => (await commands()).stop,
      parameters: { flags: NODE_FLAGS, positional: JOB_ID },
      docs: {
        brief: "Stop a job",
        fullDescription: example(
          "Sends SIGTERM and, after the server's grace of 10s, kills every process of the job. Returns when it has ended.",
          "jobworker stop 550e8400",
        ),
      },
    }),
    list: buildCommand({
      loader: async () => (await commands()).list,
      parameters: { flags: NODE_FLAGS },
      docs: {
        brief: "List jobs, newest first",
        fullDescription: example("Those that you may see.", "jobworker list"),
      },
    }),
    completion: completionCommand("jobworker"),
  },
  docs: {
    brief: "Run commands as isolated, resource-limited jobs",
    fullDescription: "jobworker runs commands as jobs of a joblet server, which 'joblet server' starts.\n" +
      "Start with: jobworker start \"echo 'Life is Great'\"",
  },
});

const VALUE_FLAGS = valueFlagsOf(START_FLAGS);
const RULES = { valueFlags: VALUE_FLAGS, groups: new Set<string>(), starts: new Set<string>() };

export const face: Face = {
  app: buildFace("jobworker", root),
  prepare: (words) => {
    const [command = "", ...rest] = prepareArguments(words, RULES);
    return [command, ...(command === "start" ? prepareStart(rest, VALUE_FLAGS) : rest)];
  },
};
