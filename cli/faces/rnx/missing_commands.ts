/** Commands that people know from rnx, of features that joblet does not have: they are there and say so. */
import { buildCommand, buildRouteMap, type Command, type RouteMap } from "@stricli/core";
import type { RunContext } from "../../command.ts";
import { example } from "../../tree/parameters.ts";

/** A command: what it would do, and one way to type it. */
type Entry = readonly [brief: string, example: string];

interface Group {
  /** What joblet does not have. */
  readonly feature: string;
  readonly commands: Readonly<Record<string, Entry>>;
}

/** By the words that name them. */
export const MISSING_GROUPS: Readonly<Record<string, Group>> = {
  network: {
    feature: "networks of its own",
    commands: {
      create: ["Make a network for jobs", "rnx network create my-network --cidr=10.0.0.0/24"],
      list: ["List networks", "rnx network list"],
      remove: ["Remove a network", "rnx network remove my-network"],
    },
  },
  volume: {
    feature: "volumes",
    commands: {
      create: ["Make a volume for jobs", "rnx volume create data-vol --size=10GB"],
      list: ["List volumes", "rnx volume list"],
      remove: ["Remove a volume", "rnx volume remove data-vol"],
    },
  },
  runtime: {
    feature: "runtimes",
    commands: {
      list: ["List runtimes", "rnx runtime list"],
      info: ["Show a runtime", "rnx runtime info python-3.11-ml"],
      test: ["Test a runtime", "rnx runtime test openjdk-21"],
      install: ["Install a runtime", "rnx runtime install python-3.11-ml"],
      build: ["Build a runtime", "rnx runtime build ./runtime.yaml"],
      validate: ["Check the description of a runtime", "rnx runtime validate ./runtime.yaml"],
      remove: ["Remove a runtime", "rnx runtime remove python-3.11-ml"],
    },
  },
  workflow: {
    feature: "workflows",
    commands: {
      run: ["Run a workflow", "rnx workflow run ml-pipeline.yaml"],
      list: ["List workflows", "rnx workflow list"],
      status: ["Show a workflow", "rnx workflow status --detail a1b2c3d4"],
      delete: ["Delete a workflow", "rnx workflow delete a1b2c3d4"],
    },
  },
  monitor: {
    feature: "figures of the whole host",
    commands: {
      status: ["Show the host's load", "rnx monitor status"],
      top: ["Show what uses the host most", "rnx monitor top --filter=cpu,memory"],
      watch: ["Show the host's load again and again", "rnx monitor watch --interval=5"],
    },
  },
  flow: {
    feature: "durable workflows",
    commands: {
      start: ["Start a durable workflow", "rnx flow start order --input '{}'"],
      status: ["Show a durable workflow", "rnx flow status order-1"],
      signal: ["Tell a durable workflow something", "rnx flow signal order-1 paid"],
    },
  },
};

/** Of the group `job`. */
export const MISSING_JOB_COMMANDS: Readonly<Record<string, Group>> = {
  metrics: {
    feature: "figures over a job's time, only what 'rnx job status' shows",
    commands: { metrics: ["Show a job's figures over time", "rnx job metrics 3f2a"] },
  },
  telematics: {
    feature: "events of a job's programs",
    commands: { telematics: ["Show what a job's programs did", "rnx job telematics --types exec,connect 3f2a"] },
  },
  visibility: {
    feature: "events of a job's programs",
    commands: { visibility: ["Older name of telematics", "rnx job visibility 3f2a"] },
  },
};

function missingCommand(name: string, feature: string, [brief, line]: Entry): Command<RunContext> {
  return buildCommand<Record<never, never>, string[], RunContext>({
    loader: async () => (await import("./missing.ts")).missing(name, feature),
    parameters: {
      positional: { kind: "array", parameter: { parse: String, brief: "Whatever it took", placeholder: "ARG" } },
    },
    docs: {
      brief: `${brief} (not there yet)`,
      fullDescription: example(`joblet has no ${feature} yet: this only says so and exits with 1.`, line),
    },
  });
}

/** The groups of which no command is there. */
export function missingGroups(): Record<string, RouteMap<RunContext>> {
  return Object.fromEntries(
    Object.entries(MISSING_GROUPS).map(([group, { feature, commands }]) => {
      const routes = Object.fromEntries(
        Object.entries(commands).map(([name, entry]) => [name, missingCommand(`${group} ${name}`, feature, entry)]),
      );
      return [group, buildRouteMap({ routes, docs: { brief: `Not there yet: joblet has no ${feature}` } })];
    }),
  );
}

/** Those of the group `job`. */
export function missingJobCommands(): Record<string, Command<RunContext>> {
  return Object.fromEntries(
    Object.entries(MISSING_JOB_COMMANDS).map(([name, { feature, commands }]) => [
      name,
      missingCommand(`job ${name}`, feature, commands[name]!),
    ]),
  );
}

/** Whether the words name such a command, all of whose words behind its name are its own. */
export function isMissing([group = "", name = ""]: readonly string[]): boolean {
  if (group === "job") return Object.hasOwn(MISSING_JOB_COMMANDS, name);
  return Object.hasOwn(MISSING_GROUPS, group) && Object.hasOwn(MISSING_GROUPS[group]!.commands, name);
}
