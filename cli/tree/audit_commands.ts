/** `audit` and `audit verify`: who did what on this host. */
import { buildCommand, buildRouteMap } from "@stricli/core";
import { GLOBAL_FLAGS } from "../command.ts";
import { parseHead } from "../commands/audit_values.ts";
import { parseLogTime } from "../logs/time.ts";
import { example, parseCount } from "./parameters.ts";

const text = (brief: string, placeholder: string) =>
  ({ kind: "parsed", parse: String, brief, placeholder, optional: true }) as const;

const list = buildCommand({
  loader: async () => (await import("../commands/audit.ts")).audit,
  parameters: {
    flags: {
      since: {
        kind: "parsed",
        parse: (text: string) => parseLogTime("--since", text),
        brief: "Only from this time on: 2026-03-01T07:30:00Z, '2026-03-01 07:30', 07:30; 10m: so long ago",
        placeholder: "TIME",
        optional: true,
      },
      until: {
        kind: "parsed",
        parse: (text: string) => parseLogTime("--until", text),
        brief: "Only before this time",
        placeholder: "TIME",
        optional: true,
      },
      name: text("Only calls of this caller, or of one whose certificate claims the name", "NAME"),
      method: text("Only calls of this method: RunJob, or joblet.v1.JobService/RunJob", "METHOD"),
      object: text("Only calls for this job, network or other thing; the start of its id will do", "ID"),
      denied: { kind: "boolean", brief: "Only calls that were denied", default: false, withNegated: false },
      tail: {
        kind: "parsed",
        parse: parseCount,
        brief: "Only the last so many that fit",
        placeholder: "N",
        optional: true,
      },
      head: {
        kind: "boolean",
        brief: "Print SEQ:HASH of the last record and nothing else, to be kept elsewhere",
        default: false,
        withNegated: false,
      },
      json: { kind: "boolean", brief: "Print the records as they are stored", default: false, withNegated: false },
    },
  },
  docs: {
    brief: "Show who did what",
    fullDescription: example(
      "Prints the records of the audit log below JOBLET_HOME: one for each call that changed something, and one for each\n" +
        "that was denied. Reads the files, so it needs to be root and no server. Times without an offset are this\n" +
        "machine's local ones.",
      "joblet audit --tail 20",
      "joblet audit --denied --since 24h",
      "joblet audit --name alice --method StopJob",
      "joblet audit --object 3f2a --json",
      "joblet audit --head",
    ),
  },
});

const verify = buildCommand({
  loader: async () => (await import("../commands/audit.ts")).auditVerify,
  parameters: {
    flags: {
      expectHead: {
        kind: "parsed",
        parse: parseHead,
        brief: "What 'joblet audit --head' said some time ago: that record must still be there",
        placeholder: "SEQ:HASH",
        optional: true,
      },
      json: GLOBAL_FLAGS.json,
    },
  },
  docs: {
    brief: "Prove that no record was changed, removed or moved",
    fullDescription: example(
      "Follows the chain of hashes through all records and names the first place where it does not hold, with exit code 1.\n" +
        "That the newest records were cut off, or all was written anew, only a head tells that was kept elsewhere.",
      "joblet audit verify",
      `joblet audit verify --expect-head "$(joblet audit --head)"`,
    ),
  },
});

export const audit = buildRouteMap({
  routes: { list, verify },
  defaultCommand: "list",
  docs: {
    brief: "Show who did what, and prove that the records are whole",
    fullDescription: example(
      "Alone, it is 'joblet audit list'; 'joblet audit list --help' tells its flags.",
      "joblet audit --denied --since 24h",
      "joblet audit verify",
    ),
  },
});
