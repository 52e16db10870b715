/** Flags of `run` that say when and how often: labels, priority, retries, schedule. */
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { parseDuration } from "../../core/values/duration.ts";
import type { MisfirePolicy, OverlapPolicy, RetryOn } from "../../proto/gen/joblet/v1/job_pb.ts";
import { CliError } from "../errors.ts";
import { type Label, labelMap, parseLabel } from "../labels.ts";
import { MISFIRE, OVERLAP, parsePolicy, RETRY_ON } from "../output/policy.ts";
import type { Spec } from "../start_job.ts";

export interface PolicyFlags {
  readonly label?: readonly Label[];
  readonly priority?: number;
  readonly retries?: number;
  readonly retryDelay?: number;
  readonly retryOn?: readonly RetryOn[];
  readonly schedule?: string;
  readonly timeZone?: string;
  readonly misfire?: MisfirePolicy;
  readonly overlap?: OverlapPolicy;
}

function parsePriority(text: string): number {
  const priority = /^[+-]?\d{1,3}$/.test(text) ? Number(text) : NaN;
  if (!(Math.abs(priority) <= 100)) {
    throw new RangeError(`Cannot use --priority '${text}': it must be a whole number from -100 to 100`);
  }
  return priority;
}

function parseRetries(text: string): number {
  if (!/^\d{1,3}$/.test(text) || Number(text) > 100) {
    throw new RangeError(`Cannot use --retries '${text}': it must be a whole number from 0 to 100`);
  }
  return Number(text);
}

function parseTimeZone(text: string): string {
  try {
    // Fixed offsets are zones to Intl, but have no daylight saving time, which is what a zone is given for.
    if (!/^[+-]/.test(text) && new Intl.DateTimeFormat("en", { timeZone: text })) return text;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new RangeError(`Cannot use --time-zone '${text}': it must be an IANA name, such as Europe/Berlin`);
}

export const POLICY_FLAGS = {
  label: {
    kind: "parsed",
    parse: parseLabel,
    brief: "Label to find the job by, repeatable",
    placeholder: "K=V",
    optional: true,
    variadic: true,
  },
  priority: {
    kind: "parsed",
    parse: parsePriority,
    brief: "Of waiting jobs the highest goes first: -100 to 100 (default: 0)",
    placeholder: "N",
    optional: true,
  },
  retries: {
    kind: "parsed",
    parse: parseRetries,
    brief: "Try again up to so many times: 0 to 100 (default: 0)",
    placeholder: "N",
    optional: true,
  },
  retryDelay: {
    kind: "parsed",
    parse: parseDuration,
    brief: "Time from an attempt's end to the next one (default: 1s)",
    placeholder: "TIME",
    optional: true,
  },
  retryOn: {
    kind: "parsed",
    parse: (text: string) => parsePolicy("--retry-on", RETRY_ON, text),
    proposeCompletions: () => Object.keys(RETRY_ON),
    brief: "Ends to try again after: exit, signal, oom, lost, timeout (default: all but timeout)",
    placeholder: "END",
    optional: true,
    variadic: ",",
  },
  schedule: {
    kind: "parsed",
    parse: String,
    brief: "When to run: '2026-03-01 07:30', 07:30, 2h30m, or again and again: '30 7 * * mon-fri', @daily",
    placeholder: "SPEC",
    optional: true,
  },
  timeZone: {
    kind: "parsed",
    parse: parseTimeZone,
    brief: "Zone of the schedule's times: Europe/Berlin (default: this machine's)",
    placeholder: "ZONE",
    optional: true,
  },
  misfire: {
    kind: "parsed",
    parse: (text: string) => parsePolicy("--misfire", MISFIRE, text),
    proposeCompletions: () => Object.keys(MISFIRE),
    brief: "Recurring runs missed while no server ran: run-once, skip (default: run-once)",
    placeholder: "POLICY",
    optional: true,
  },
  overlap: {
    kind: "parsed",
    parse: (text: string) => parsePolicy("--overlap", OVERLAP, text),
    proposeCompletions: () => Object.keys(OVERLAP),
    brief: "A recurring run due while one goes on: allow, skip, replace (default: allow)",
    placeholder: "POLICY",
    optional: true,
  },
} as const;

/** The fields of a spec that these flags ask for. @throws {CliError} flags that do not fit together */
export function toPolicies(flags: PolicyFlags): Pick<Spec, "labels" | "priority" | "retry" | "schedule"> {
  const { label, priority, retries, retryDelay, retryOn, schedule, timeZone, misfire, overlap } = flags;
  need("--retries", retries, { "--retry-delay": retryDelay, "--retry-on": retryOn });
  need("--schedule", schedule, { "--time-zone": timeZone, "--misfire": misfire, "--overlap": overlap });
  const delay = retryDelay === undefined ? {} : { delay: durationFromMs(retryDelay) };
  return {
    labels: labelMap(label),
    ...(priority === undefined ? {} : { priority }),
    ...(retries === undefined ? {} : { retry: { limit: retries, on: [...new Set(retryOn)], ...delay } }),
    ...(schedule === undefined ? {} : {
      schedule: {
        when: schedule,
        timeZone: timeZone ?? ownTimeZone(),
        ...(misfire === undefined ? {} : { misfire }),
        ...(overlap === undefined ? {} : { overlap }),
      },
    }),
  };
}

function need(flag: string, value: unknown, dependents: Readonly<Record<string, unknown>>): void {
  if (value !== undefined) return;
  const given = Object.keys(dependents).find((name) => dependents[name] !== undefined);
  if (given) throw new CliError(`Cannot use ${given} without ${flag}: give both`, 2);
}

/** This process's zone; empty, which is UTC, where there is none to be found. */
function ownTimeZone(): string {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return !timeZone || timeZone === "Etc/Unknown" ? "" : timeZone;
}
