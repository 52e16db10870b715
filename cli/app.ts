/** The command tree: names and help. What a command does is loaded when it runs. */
import { buildRouteMap } from "@stricli/core";
import { prepareArguments } from "./arguments.ts";
import { buildFace, type Face } from "./faces/face.ts";
import { audit } from "./tree/audit_commands.ts";
import { certs } from "./tree/certs_commands.ts";
import { completionCommand } from "./tree/completion_command.ts";
import { doctor, server } from "./tree/host_commands.ts";
import { cancel, deleteAll, list, remove, status, stop, wait } from "./tree/job_commands.ts";
import { logCommand } from "./tree/log_commands.ts";
import { jobRun, run, RUN_VALUE_FLAGS } from "./tree/run_commands.ts";

/** Commands whose second word is the command. */
const GROUPS: ReadonlySet<string> = new Set(["job", "certs", "completion"]);

/** Commands behind whose flags stands the job's own command line. */
const STARTS: ReadonlySet<string> = new Set(["run"]);

const root = buildRouteMap({
  routes: {
    run,
    ps: list,
    status,
    logs: logCommand(false, "logs"),
    stop,
    cancel,
    rm: remove,
    prune: deleteAll("prune"),
    wait,
    job: buildRouteMap({
      routes: {
        run: jobRun,
        list,
        status,
        log: logCommand(true, "job log"),
        stop,
        cancel,
        delete: remove,
        deleteAll: deleteAll("job delete-all"),
        wait,
      },
      docs: { brief: "The same in Joblet's spelling: run list status log stop cancel delete delete-all wait" },
    }),
    server,
    doctor,
    audit,
    certs,
    completion: completionCommand("joblet"),
  },
  docs: {
    brief: "Run commands as isolated, resource-limited jobs",
    fullDescription:
      "joblet runs commands as isolated, resource-limited jobs on Linux hosts.\nStart with: joblet run echo 'Hello, Joblet!'\n\n" +
      "joblet rnx, joblet jobworker and joblet jobc, or links of these names to this program, are the same in words that\n" +
      "people know from elsewhere.",
  },
});

export const face: Face = {
  app: buildFace("joblet", root),
  prepare: (words) => prepareArguments(words, { valueFlags: RUN_VALUE_FLAGS, groups: GROUPS, starts: STARTS }),
};
