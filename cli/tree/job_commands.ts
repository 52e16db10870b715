/** Commands on jobs that exist. */
import { buildCommand } from "@stricli/core";
import { parseDuration } from "../../core/values/duration.ts";
import { SIGNAL_NAMES } from "../../core/values/signal.ts";
import { GLOBAL_FLAGS } from "../command.ts";
import { parseStream } from "../commands/log_stream.ts";
import { parseState } from "../output/state.ts";
import { example, JOB_ID, JOB_IDS, parseCount } from "./parameters.ts";

export const list = buildCommand({
  loader: async () => (await import("../commands/list.ts")).list,
  parameters: {
    flags: {
      ...GLOBAL_FLAGS,
      state: {
        kind: "parsed",
        parse: parseState,
        brief: "Only jobs in this state, repeatable",
        placeholder: "STATE",
        optional: true,
        variadic: true,
      },
      name: { kind: "parsed", parse: String, brief: "Only jobs with this name", placeholder: "NAME", optional: true },
      limit: {
        kind: "parsed",
        parse: parseCount,
        brief: "At most so many (default: all)",
        placeholder: "N",
        optional: true,
      },
    },
  },
  docs: {
    brief: "List jobs, newest first",
    fullDescription: example(
      "Lists the jobs that you may see.",
      "joblet ps --state running",
      "joblet ps --limit 20 --json",
    ),
  },
});

export const status = buildCommand({
  loader: async () => (await import("../commands/status.ts")).status,
  parameters: { flags: GLOBAL_FLAGS, positional: JOB_ID },
  docs: { brief: "Show one job", fullDescription: example("Shows all that is known of a job.", "joblet status 3f2a") },
});

export function logCommand(followByDefault: boolean, name: string) {
  return buildCommand({
    loader: async () => (await import("../commands/logs.ts")).logs,
    parameters: {
      flags: {
        ...GLOBAL_FLAGS,
        follow: { kind: "boolean", brief: "Go on until the job ends", default: followByDefault },
        stream: {
          kind: "parsed",
          parse: parseStream,
          brief: "Only stdout or stderr",
          placeholder: "STREAM",
          optional: true,
        },
      },
      aliases: { f: "follow" },
      positional: JOB_ID,
    },
    docs: {
      brief: "Show a job's output",
      fullDescription: example(
        "Writes the job's stdout to stdout and its stderr to stderr, byte for byte.",
        `joblet ${name} 3f2a`,
        `joblet ${name} ${followByDefault ? "--no-follow" : "-f"} --stream stderr 3f2a`,
      ),
    },
  });
}

export const stop = buildCommand({
  loader: async () => (await import("../commands/stop.ts")).stop,
  parameters: {
    flags: {
      ...GLOBAL_FLAGS,
      signal: {
        kind: "parsed",
        parse: String,
        brief: `First signal (default: SIGTERM): ${SIGNAL_NAMES.join(" ")}`,
        placeholder: "SIGNAL",
        optional: true,
      },
      grace: {
        kind: "parsed",
        parse: parseDuration,
        brief: "Time from the signal to the kill (default: the server's, 10s)",
        placeholder: "TIME",
        optional: true,
      },
    },
    positional: JOB_IDS,
  },
  docs: {
    brief: "Stop jobs",
    fullDescription: example(
      "Sends the signal to the program and, after the grace, kills every process of the job. Returns when it has ended.",
      "joblet stop 3f2a",
      "joblet stop --signal KILL 3f2a 77b1",
    ),
  },
});

export const remove = buildCommand({
  loader: async () => (await import("../commands/delete.ts")).remove,
  parameters: { flags: GLOBAL_FLAGS, positional: JOB_IDS },
  docs: {
    brief: "Delete ended jobs and their output",
    fullDescription: example("A job that runs must be stopped first.", "joblet rm 3f2a"),
  },
});

export const wait = buildCommand({
  loader: async () => (await import("../commands/wait.ts")).wait,
  parameters: { flags: GLOBAL_FLAGS, positional: JOB_IDS },
  docs: {
    brief: "Wait until jobs have ended",
    fullDescription: example("Exits as the job did, of several as the last one did.", "joblet wait 3f2a && echo fine"),
  },
});
