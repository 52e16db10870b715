/** Commands on jobs that exist. */
import { buildCommand } from "@stricli/core";
import { parseDuration } from "../../core/values/duration.ts";
import { SIGNAL_NAMES } from "../../core/values/signal.ts";
import { JobState } from "../../proto/gen/joblet/v1/job_pb.ts";
import { GLOBAL_FLAGS } from "../command.ts";
import { LABEL_FILTER } from "../labels.ts";
import { LIVE_STATES, parseState, TERMINAL_STATES } from "../output/state.ts";
import { example, JOB_ID, jobIds, parseCount } from "./parameters.ts";

const STATE_FILTER = {
  kind: "parsed",
  parse: parseState,
  brief: "Only jobs in this state, repeatable",
  placeholder: "STATE",
  optional: true,
  variadic: true,
} as const;

export const list = buildCommand({
  loader: async () => (await import("../commands/list.ts")).list,
  parameters: {
    flags: {
      ...GLOBAL_FLAGS,
      state: STATE_FILTER,
      label: LABEL_FILTER,
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
      "Lists the jobs that you may see. Those that wait for their time show when it is in place of their start.",
      "joblet ps --state running",
      "joblet ps --label team=red",
      "joblet ps --limit 20 --json",
    ),
  },
});

export const status = buildCommand({
  loader: async () => (await import("../commands/status.ts")).status,
  parameters: { flags: GLOBAL_FLAGS, positional: JOB_ID },
  docs: { brief: "Show one job", fullDescription: example("Shows all that is known of a job.", "joblet status 3f2a") },
});

export const stop = buildCommand({
  loader: async () => (await import("../commands/stop.ts")).stop,
  parameters: {
    flags: {
      ...GLOBAL_FLAGS,
      label: LABEL_FILTER,
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
    positional: jobIds(LIVE_STATES, 0),
  },
  docs: {
    brief: "Stop jobs",
    fullDescription: example(
      "Sends the signal to the program and, after the grace, kills every process of the job. Returns when it has ended.\n" +
        "A job that waits is canceled. With --label in place of ids, all jobs that have the labels and have not ended are\n" +
        "stopped.",
      "joblet stop 3f2a",
      "joblet stop --signal KILL 3f2a 77b1",
      "joblet stop --label team=red",
    ),
  },
});

export const cancel = buildCommand({
  loader: async () => (await import("../commands/cancel.ts")).cancel,
  parameters: {
    flags: GLOBAL_FLAGS,
    positional: jobIds([JobState.PENDING, JobState.SCHEDULED], 1),
  },
  docs: {
    brief: "Call off jobs that wait",
    fullDescription: example(
      "For their time or for resources. A recurring job starts no more runs; a run that has begun goes on.",
      "joblet cancel 3f2a",
    ),
  },
});

export const remove = buildCommand({
  loader: async () => (await import("../commands/delete.ts")).remove,
  parameters: { flags: { ...GLOBAL_FLAGS, label: LABEL_FILTER }, positional: jobIds(TERMINAL_STATES, 0) },
  docs: {
    brief: "Delete ended jobs and their output",
    fullDescription: example(
      "A job that runs must be stopped first. With --label in place of ids, all ended jobs that have the labels are deleted.",
      "joblet rm 3f2a",
      "joblet rm --label team=red",
    ),
  },
});

export function deleteAll(name: string) {
  return buildCommand({
    loader: async () => (await import("../commands/delete_all.ts")).deleteAll,
    parameters: { flags: { ...GLOBAL_FLAGS, state: STATE_FILTER, label: LABEL_FILTER } },
    docs: {
      brief: "Delete all ended jobs and their output",
      fullDescription: example(
        "Of those that you may delete and that the filters fit; jobs that have not ended are skipped and counted.",
        `joblet ${name}`,
        `joblet ${name} --state completed --label team=red`,
      ),
    },
  });
}

export const wait = buildCommand({
  loader: async () => (await import("../commands/wait.ts")).wait,
  parameters: { flags: GLOBAL_FLAGS, positional: jobIds(LIVE_STATES, 1) },
  docs: {
    brief: "Wait until jobs have ended",
    fullDescription: example(
      "Exits as the job did, of several as the last one did; 125 if it was canceled or lost. A server that is restarted\n" +
        "meanwhile is waited for.",
      "joblet wait 3f2a && echo fine",
    ),
  },
});
