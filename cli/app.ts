/** The command tree: names and help. What a command does is loaded when it runs. */
import { type Application, buildApplication, buildRouteMap, text_en } from "@stricli/core";
import type { RunContext } from "./command.ts";
import { certsClient, certsInit, completion, doctor, server } from "./tree/host_commands.ts";
import { cancel, deleteAll, list, remove, status, stop, wait } from "./tree/job_commands.ts";
import { logCommand } from "./tree/log_commands.ts";
import { jobRun, run } from "./tree/run_commands.ts";
import { versionLine } from "./version.ts";

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
    certs: buildRouteMap({ routes: { init: certsInit, client: certsClient }, docs: { brief: "Make certificates" } }),
    completion,
  },
  docs: {
    brief: "Run commands as isolated, resource-limited jobs",
    fullDescription:
      "joblet runs commands as isolated, resource-limited jobs on Linux hosts.\nStart with: joblet run echo 'Hello, Joblet!'",
  },
});

/** The whole command line. */
export const app: Application<RunContext> = buildApplication<RunContext>(root, {
  name: "joblet",
  versionInfo: { currentVersion: `joblet ${versionLine()}` },
  scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
  documentation: { caseStyle: "convert-camel-to-kebab", onlyRequiredInUsageLine: true },
  localization: {
    text: {
      ...text_en,
      // The parser's own exceptions carry our message; its frame around them says nothing more.
      exceptionWhileParsingArguments: (error) => firstLine(error),
    },
  },
});

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const own = /Cannot .*/.exec(text);
  return (own?.[0] ?? text).split("\n")[0]!;
}
