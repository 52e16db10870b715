/** `rnx`: Joblet's own command line. */
import { buildRouteMap } from "@stricli/core";
import { prepareArguments, splitLeadingFlags, valueFlagsOf } from "../../arguments.ts";
import { completionCommand } from "../../tree/completion_command.ts";
import { buildFace, type Face } from "../face.ts";
import { isMissing, missingGroups, missingJobCommands } from "./missing_commands.ts";
import { RUN_FLAGS } from "./run_flags.ts";
import * as tree from "./tree.ts";

const job = buildRouteMap({
  routes: {
    run: tree.runCommand("job run"),
    list: tree.listCommand("job list"),
    status: tree.statusCommand("job status"),
    log: tree.logCommand("job log"),
    stop: tree.stopCommand("job stop"),
    cancel: tree.cancel,
    delete: tree.remove,
    deleteAll: tree.removeAll,
    ...missingJobCommands(),
  },
  docs: { brief: "Start jobs, look at them, end them" },
});

const root = buildRouteMap({
  routes: {
    job,
    nodes: tree.nodes,
    configHelp: tree.configHelp,
    version: tree.version,
    completion: completionCommand("rnx"),
    run: tree.runCommand("run"),
    list: tree.listCommand("list"),
    status: tree.statusCommand("status"),
    log: tree.logCommand("log"),
    stop: tree.stopCommand("stop"),
    ...missingGroups(),
  },
  docs: {
    brief: "Run jobs on joblet servers, in Joblet's own words",
    fullDescription: "Every client command takes --config FILE, --node NAME and --json, also before its name.\n" +
      "run, list, status, log and stop are older names of those in the group job. Exit code 0: done; 1: refused or failed;\n" +
      '2: wrong usage.\nStart with: rnx job run echo "Hello, Joblet!"',
  },
});

const RULES = {
  valueFlags: valueFlagsOf(RUN_FLAGS, ["e", "s"]),
  groups: new Set(["job", "completion", ...Object.keys(missingGroups())]),
  starts: new Set(["run"]),
};

export const face: Face = {
  app: buildFace("rnx", root),
  prepare: (words) => {
    const { leading, rest } = splitLeadingFlags(words);
    if (rest[0] === "--version" || rest[0] === "-v") return ["version", ...leading, ...rest.slice(1)];
    const behind = rest.slice(2);
    // Flags of a command that is not there are not known either.
    if (isMissing(rest) && !behind.includes("--help")) return [...rest.slice(0, 2), "--", ...behind];
    return prepareArguments(words, RULES);
  },
};
