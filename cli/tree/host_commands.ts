/** Commands on this host: server, doctor. */
import { buildCommand } from "@stricli/core";
import { GLOBAL_FLAGS } from "../command.ts";
import { example } from "./parameters.ts";

export const server = buildCommand({
  loader: async () => (await import("../commands/server.ts")).server,
  parameters: {
    flags: {
      drain: {
        kind: "boolean",
        brief:
          "On SIGTERM or Ctrl-C, take no new jobs and end when all running jobs have; a second signal ends at once",
        default: false,
        withNegated: false,
      },
    },
  },
  docs: {
    brief: "Serve this host in the foreground",
    fullDescription: example(
      "Reads joblet-config.yml in the config folder of JOBLET_HOME (default: /opt/joblet) and says 'listening on HOST:PORT'.\n" +
        "SIGTERM and Ctrl-C end the server; jobs run on, and the next server takes them over.",
      "joblet server",
      "joblet server --drain",
      "JOBLET_HOME=/srv/joblet joblet server",
    ),
  },
});

export const doctor = buildCommand({
  loader: async () => (await import("../commands/doctor.ts")).doctor,
  parameters: { flags: { json: GLOBAL_FLAGS.json } },
  docs: {
    brief: "Check what this host has of what joblet needs",
    fullDescription: example("One line a check, with the cure. Exits with 1 if anything is missing.", "joblet doctor"),
  },
});
