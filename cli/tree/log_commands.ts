/** `logs` and `job log`. */
import { buildCommand } from "@stricli/core";
import { GLOBAL_FLAGS } from "../command.ts";
import { parsePattern, parseStream } from "../commands/log_values.ts";
import { parseLogTime } from "../logs/time.ts";
import { example, JOB_ID, parseCount, TAIL_FLAG } from "./parameters.ts";

const LOG_FLAGS = {
  ...GLOBAL_FLAGS,
  tail: TAIL_FLAG,
  since: {
    kind: "parsed",
    parse: (text: string) => parseLogTime("--since", text),
    brief: "Only output from this time on: 2026-03-01T07:30:00Z, '2026-03-01 07:30', 07:30; 10m: so long ago",
    placeholder: "TIME",
    optional: true,
  },
  until: {
    kind: "parsed",
    parse: (text: string) => parseLogTime("--until", text),
    brief: "Only output before this time",
    placeholder: "TIME",
    optional: true,
  },
  stream: {
    kind: "parsed",
    parse: parseStream,
    proposeCompletions: () => ["stdout", "stderr"],
    brief: "Only stdout or stderr",
    placeholder: "STREAM",
    optional: true,
  },
  attempt: {
    kind: "parsed",
    parse: parseCount,
    brief: "Only the output of this attempt (default: of all, in order)",
    placeholder: "N",
    optional: true,
  },
  timestamps: { kind: "boolean", brief: "Begin each line with its time", default: false, withNegated: false },
  grep: {
    kind: "parsed",
    parse: parsePattern,
    brief: "Only lines that match this regular expression",
    placeholder: "RE",
    optional: true,
  },
} as const;

export function logCommand(followByDefault: boolean, name: string) {
  const follow = { kind: "boolean", brief: "Go on until the job ends", default: followByDefault } as const;
  return buildCommand({
    loader: async () => (await import("../commands/logs.ts")).logs,
    parameters: { flags: { follow, ...LOG_FLAGS }, aliases: { f: "follow" }, positional: JOB_ID },
    docs: {
      brief: "Show a job's output",
      fullDescription: example(
        "Writes the job's stdout to stdout and its stderr to stderr, byte for byte and at once; with --timestamps or --grep\n" +
          "line by line. --tail counts before --grep chooses. Times without an offset are this machine's local ones. With\n" +
          "--json each piece of output is an object, with --grep each line.",
        `joblet ${name} 3f2a`,
        `joblet ${name} ${followByDefault ? "--no-follow" : "-f"} --stream stderr 3f2a`,
        `joblet ${name} --tail 100 --timestamps 3f2a`,
        `joblet ${name} --since 1h30m --grep 'error|warning' 3f2a`,
      ),
    },
  });
}
