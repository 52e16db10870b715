/** `jobc`: start, stop, status, logs and list. */
import { buildCommand, buildRouteMap } from "@stricli/core";
import { parseDuration } from "../../../core/values/duration.ts";
import { prepareArguments, valueFlagsOf } from "../../arguments.ts";
import { NODE_FLAGS } from "../../command.ts";
import { LIMIT_FLAGS, TIMEOUT_FLAG } from "../../commands/limit_flags.ts";
import { completionCommand } from "../../tree/completion_command.ts";
import { COMMAND_WORDS, example, JOB_ID } from "../../tree/parameters.ts";
import { environmentFlag } from "../environment_flag.ts";
import { buildFace, type Face } from "../face.ts";

const START_FLAGS = {
  ...NODE_FLAGS,
  env: environmentFlag("--env", "Environment variable, repeatable"),
  timeout: TIMEOUT_FLAG,
  maxCpu: LIMIT_FLAGS.maxCpu,
  cpuWeight: LIMIT_FLAGS.cpuWeight,
  cpuCores: LIMIT_FLAGS.cpuCores,
  maxMemory: LIMIT_FLAGS.maxMemory,
  maxPids: LIMIT_FLAGS.maxPids,
  maxIobps: LIMIT_FLAGS.maxIobps,
  ioWeight: LIMIT_FLAGS.ioWeight,
} as const;

const commands = () => import("./commands.ts");

const start = buildCommand({
  loader: async () => (await commands()).start,
  parameters: { flags: START_FLAGS, aliases: { e: "env" }, positional: COMMAND_WORDS },
  docs: {
    brief: "Start a job and print its id",
    customUsage: ["[options] [--] CMD [ARG]..."],
    fullDescription: example(
      "Options stand before the program; everything from the program on is the job's.",
      "jobc start sleep 60",
      "jobc start ls -la /",
      "jobc start --timeout 10m --env MODE=test -- make check",
      "jobc start --max-cpu 50 --max-memory 512M python3 -c 'print(1)'",
    ),
  },
});

const stop = buildCommand({
  loader: async () => (await commands()).stop,
  parameters: {
    flags: {
      ...NODE_FLAGS,
      grace: {
        kind: "parsed",
        parse: parseDuration,
        brief: "Send SIGTERM first, and kill after this time",
        placeholder: "TIME",
        default: "0",
      },
    },
    positional: JOB_ID,
  },
  docs: {
    brief: "Stop a job",
    fullDescription: example(
      "Kills every process of the job and prints nothing. Returns when it has ended.",
      "jobc stop a62dfccc",
      "jobc stop --grace 10s a62dfccc",
    ),
  },
});

const status = buildCommand({
  loader: async () => (await commands()).status,
  parameters: { flags: NODE_FLAGS, positional: JOB_ID },
  docs: {
    brief: "Show whether a job runs and how it ended",
    fullDescription: example(
      "One of: running; pending, if it waits; finished (exit code: N); stopped (signal: N), whoever sent it; failed (why), if\n" +
        "it never ran; canceled, if it was called off while it waited; lost, if nobody saw how it ended.",
      "jobc status a62dfccc",
    ),
  },
});

const logs = buildCommand({
  loader: async () => (await commands()).logs,
  parameters: {
    flags: {
      ...NODE_FLAGS,
      raw: {
        kind: "boolean",
        brief: "Print the bytes as they are, stdout to stdout and stderr to stderr",
        default: false,
        withNegated: false,
      },
      follow: { kind: "boolean", brief: "Go on until the job ends", default: true },
    },
    positional: JOB_ID,
  },
  docs: {
    brief: "Show a job's output, what there is and what comes",
    fullDescription: example(
      'An object for each line of stdout or stderr: {"log":"text","stream":"stdout","time":"2022-01-24T10:00:00.000000000Z"}.\n' +
        '"partial":true is added where no newline ends it: lines over 16 KiB come in pieces, and the output may end within\n' +
        'a line. "base64" is added with the exact bytes of what is no UTF-8, "missing_bytes" where output could not be kept.',
      "jobc logs a62dfccc",
      "jobc logs --no-follow a62dfccc",
      "jobc logs --raw a62dfccc",
    ),
  },
});

const list = buildCommand({
  loader: async () => (await commands()).list,
  parameters: { flags: NODE_FLAGS },
  docs: { brief: "List jobs, newest first", fullDescription: example("Those that you may see.", "jobc list") },
});

const root = buildRouteMap({
  routes: { start, stop, status, logs, list, completion: completionCommand("jobc") },
  docs: {
    brief: "Run commands as isolated, resource-limited jobs",
    fullDescription: "jobc runs commands as jobs of a joblet server, which 'joblet server' starts.\n" +
      "Start with: jobc start sleep 60",
  },
});

const RULES = { valueFlags: valueFlagsOf(START_FLAGS, ["e"]), groups: new Set<string>(), starts: new Set(["start"]) };

export const face: Face = {
  app: buildFace("jobc", root),
  prepare: (words) => prepareArguments(words, RULES),
};
