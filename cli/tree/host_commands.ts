/** Commands on this host: server, doctor, certificates, completion. */
import { buildCommand } from "@stricli/core";
import { GLOBAL_FLAGS } from "../command.ts";
import { example, parseCount, parsePort } from "./parameters.ts";

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

const DAYS = {
  kind: "parsed",
  parse: parseCount,
  brief: "Validity of the certificates in days (default: 365)",
  placeholder: "N",
  optional: true,
} as const;

export const certsInit = buildCommand({
  loader: async () => (await import("../commands/certs.ts")).certsInit,
  parameters: {
    flags: {
      address: {
        kind: "parsed",
        parse: String,
        brief: "Address to listen on",
        placeholder: "IP",
        default: "127.0.0.1",
      },
      port: { kind: "parsed", parse: parsePort, brief: "Port to listen on", placeholder: "PORT", default: "50051" },
      host: {
        kind: "parsed",
        parse: String,
        brief: "Further host name or address of the server, repeatable",
        placeholder: "NAME",
        optional: true,
        variadic: true,
      },
      days: DAYS,
      force: {
        kind: "boolean",
        brief: "Make them anew; the CA and other clients stay valid",
        default: false,
        withNegated: false,
      },
    },
  },
  docs: {
    brief: "Make a CA, server and admin certificates",
    fullDescription: example(
      "Writes joblet-config.yml and rnx-config.yml, with the certificates in them, to the config folder of JOBLET_HOME.",
      "joblet certs init",
      "joblet certs init --address 0.0.0.0 --host jobs.example.org",
    ),
  },
});

export const certsClient = buildCommand({
  loader: async () => (await import("../commands/certs.ts")).certsClient,
  parameters: {
    flags: {
      role: {
        kind: "parsed",
        parse: String,
        brief: "admin: everything, user: own jobs, viewer: read only",
        placeholder: "ROLE",
        default: "user",
      },
      days: DAYS,
      out: {
        kind: "parsed",
        parse: String,
        brief: "File to write (default: in the config folder)",
        placeholder: "FILE",
        optional: true,
      },
    },
    positional: {
      kind: "tuple",
      parameters: [{ parse: String, brief: "The client's name: owner of its jobs", placeholder: "NAME" }],
    },
  },
  docs: {
    brief: "Make a client's certificate",
    fullDescription: example(
      "Writes an rnx-config.yml for that client.",
      "joblet certs client alice --role user --days 30",
    ),
  },
});

export const completion = buildCommand({
  loader: async () => (await import("../commands/completion.ts")).completion,
  parameters: {
    flags: {},
    positional: { kind: "tuple", parameters: [{ parse: String, brief: "bash, zsh or fish", placeholder: "SHELL" }] },
  },
  docs: {
    brief: "Print a shell's completion script",
    fullDescription: example("", "source <(joblet completion bash)", "joblet completion fish | source"),
  },
});
