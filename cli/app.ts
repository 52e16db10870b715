/** The command tree: names, flags and help. What a command does is loaded when it runs. */
import { type Application, buildApplication, buildCommand, buildRouteMap, text_en } from "@stricli/core";
import { parseDuration } from "../core/values/duration.ts";
import { SIGNAL_NAMES } from "../core/values/signal.ts";
import { GLOBAL_FLAGS, type RunContext } from "./command.ts";
import { SPEC_FLAGS } from "./commands/run_flags.ts";
import { parseStream } from "./commands/log_stream.ts";
import { parseState } from "./output/state.ts";
import { versionLine } from "./version.ts";

const COMMAND_WORDS = {
  kind: "array",
  parameter: { parse: String, brief: "Program and its arguments, passed on as they are", placeholder: "CMD" },
  minimum: 1,
} as const;

const JOB_ID = {
  kind: "tuple",
  parameters: [{ parse: String, brief: "Job id, or the start of one", placeholder: "ID" }],
} as const;

const JOB_IDS = {
  kind: "array",
  parameter: { parse: String, brief: "Job ids, or starts of them", placeholder: "ID" },
  minimum: 1,
} as const;

/** Whole positive numbers. @throws {RangeError} */
function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new RangeError(`Cannot use '${text}': it must be a whole number, at least 1`);
  return Number(text);
}

function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) {
    throw new RangeError(`Cannot use port '${text}': it must be 0 to 65535`);
  }
  return Number(text);
}

function example(text: string, ...lines: string[]): string {
  return `${text}\n\nEXAMPLES\n${lines.map((line) => `  ${line}`).join("\n")}`;
}

const RUN_USAGE = ["[flags] [--] CMD [ARG]..."] as const;

const run = buildCommand({
  loader: async () => (await import("./commands/run.ts")).run,
  parameters: {
    flags: {
      ...SPEC_FLAGS,
      detach: { kind: "boolean", brief: "Print only the job's id and return", default: false, withNegated: false },
    },
    aliases: { d: "detach", e: "env" },
    positional: COMMAND_WORDS,
  },
  docs: {
    brief: "Run a command as a job, in the foreground",
    customUsage: RUN_USAGE,
    fullDescription: example(
      "Shows the job's stdout and stderr and exits with its exit code: 128+N if it died of signal N, 124 at its timeout,\n" +
        "127 or 126 if the program is not found or not executable, 125 if the sandbox could not be set up. Ctrl-C stops the\n" +
        "job, a second Ctrl-C kills it. If the reader of the output goes away, the job is stopped. With --json or --detach\n" +
        "the job is started and not followed.",
      "joblet run echo 'Hello, Joblet!'",
      "joblet run --timeout 10m --env MODE=test -- make check",
      "joblet run --max-cpu 50 --max-memory 512M python3 -c 'print(1)'",
      "joblet run --dry-run true",
    ),
  },
});

const jobRun = buildCommand({
  loader: async () => (await import("./commands/job_run.ts")).jobRun,
  parameters: { flags: SPEC_FLAGS, aliases: { e: "env" }, positional: COMMAND_WORDS },
  docs: {
    brief: "Start a job and return at once",
    customUsage: RUN_USAGE,
    fullDescription: example("Prints the job's id, command and state.", "joblet job run --name nightly ./backup.sh"),
  },
});

const list = buildCommand({
  loader: async () => (await import("./commands/list.ts")).list,
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

const status = buildCommand({
  loader: async () => (await import("./commands/status.ts")).status,
  parameters: { flags: GLOBAL_FLAGS, positional: JOB_ID },
  docs: { brief: "Show one job", fullDescription: example("Shows all that is known of a job.", "joblet status 3f2a") },
});

function logCommand(followByDefault: boolean, name: string) {
  return buildCommand({
    loader: async () => (await import("./commands/logs.ts")).logs,
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

const stop = buildCommand({
  loader: async () => (await import("./commands/stop.ts")).stop,
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

const remove = buildCommand({
  loader: async () => (await import("./commands/delete.ts")).remove,
  parameters: { flags: GLOBAL_FLAGS, positional: JOB_IDS },
  docs: {
    brief: "Delete ended jobs and their output",
    fullDescription: example("A job that runs must be stopped first.", "joblet rm 3f2a"),
  },
});

const wait = buildCommand({
  loader: async () => (await import("./commands/wait.ts")).wait,
  parameters: { flags: GLOBAL_FLAGS, positional: JOB_IDS },
  docs: {
    brief: "Wait until jobs have ended",
    fullDescription: example("Exits as the job did, of several as the last one did.", "joblet wait 3f2a && echo fine"),
  },
});

const server = buildCommand({
  loader: async () => (await import("./commands/server.ts")).server,
  parameters: { flags: {} },
  docs: {
    brief: "Serve this host in the foreground",
    fullDescription: example(
      "Reads joblet-config.yml in the config folder of JOBLET_HOME (default: /opt/joblet) and says 'listening on HOST:PORT'.\n" +
        "SIGTERM and Ctrl-C end the server; jobs run on, and the next server takes them over.",
      "joblet server",
      "JOBLET_HOME=/srv/joblet joblet server",
    ),
  },
});

const doctor = buildCommand({
  loader: async () => (await import("./commands/doctor.ts")).doctor,
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

const certsInit = buildCommand({
  loader: async () => (await import("./commands/certs.ts")).certsInit,
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

const certsClient = buildCommand({
  loader: async () => (await import("./commands/certs.ts")).certsClient,
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

const completion = buildCommand({
  loader: async () => (await import("./commands/completion.ts")).completion,
  parameters: {
    flags: {},
    positional: { kind: "tuple", parameters: [{ parse: String, brief: "bash, zsh or fish", placeholder: "SHELL" }] },
  },
  docs: {
    brief: "Print a shell's completion script",
    fullDescription: example("", "source <(joblet completion bash)", "joblet completion fish | source"),
  },
});

const root = buildRouteMap({
  routes: {
    run,
    ps: list,
    status,
    logs: logCommand(false, "logs"),
    stop,
    rm: remove,
    wait,
    job: buildRouteMap({
      routes: { run: jobRun, list, status, log: logCommand(true, "job log"), stop, delete: remove },
      docs: { brief: "The same in Joblet's spelling: run list status log stop delete" },
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

/** Flags of `run` that take a value, with their dashes. */
export const RUN_VALUE_FLAGS: ReadonlySet<string> = new Set([
  "-e",
  ...Object.entries(SPEC_FLAGS).filter(([, { kind }]) => kind === "parsed")
    .flatMap(([name]) => [`--${name}`, `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`]),
]);
