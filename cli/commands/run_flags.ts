import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { parseBytes } from "../../core/values/bytes.ts";
import { parseCoreList } from "../../core/values/core_list.ts";
import { parseDuration } from "../../core/values/duration.ts";
import { GLOBAL_FLAGS } from "../command.ts";
import type { GlobalFlags } from "../context.ts";
import type { Spec } from "../start_job.ts";
import { POLICY_FLAGS, type PolicyFlags, toPolicies } from "./policy_flags.ts";

export interface SpecFlags extends GlobalFlags, PolicyFlags {
  readonly name?: string;
  readonly env?: readonly (readonly [string, string])[];
  readonly workdir?: string;
  readonly network?: string;
  readonly timeout?: number;
  readonly maxCpu?: number;
  readonly maxMemory?: bigint;
  readonly maxIobps?: bigint;
  readonly cpuCores?: string;
  readonly dryRun: boolean;
}

function parseEnv(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new RangeError(`Cannot use --env '${text}': it must look like NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function parsePercent(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) {
    throw new RangeError(`Cannot use --max-cpu '${text}': it must be a whole percentage of one core, at least 1`);
  }
  return Number(text);
}

function parseCores(text: string): string {
  parseCoreList(text);
  return text;
}

/** Flags that say what to run and how. */
export const SPEC_FLAGS = {
  ...GLOBAL_FLAGS,
  name: {
    kind: "parsed",
    parse: String,
    brief: "Name for lists, at most 63 characters",
    placeholder: "NAME",
    optional: true,
  },
  env: {
    kind: "parsed",
    parse: parseEnv,
    brief: "Environment variable, repeatable",
    placeholder: "K=V",
    optional: true,
    variadic: true,
  },
  workdir: {
    kind: "parsed",
    parse: String,
    brief: "Working directory in the job (default: /work)",
    placeholder: "DIR",
    optional: true,
  },
  network: {
    kind: "parsed",
    parse: String,
    brief: "none: loopback only, or host: the host's network (default: none)",
    placeholder: "MODE",
    optional: true,
  },
  timeout: {
    kind: "parsed",
    parse: parseDuration,
    brief: "End the job after this time: 90s, 5m, 1h30m (default: never)",
    placeholder: "TIME",
    optional: true,
  },
  maxCpu: {
    kind: "parsed",
    parse: parsePercent,
    brief: "CPU limit in percent of one core, may exceed 100",
    placeholder: "PERCENT",
    optional: true,
  },
  maxMemory: {
    kind: "parsed",
    parse: (text: string) => parseBytes(text, { bareUnit: "M" }),
    brief: "Memory limit: 512M, 2G; a bare number is MB",
    placeholder: "SIZE",
    optional: true,
  },
  maxIobps: {
    kind: "parsed",
    parse: (text: string) => parseBytes(text),
    brief: "Disk limit per second, reads and writes each: 10M; a bare number is bytes",
    placeholder: "SIZE",
    optional: true,
  },
  cpuCores: {
    kind: "parsed",
    parse: parseCores,
    brief: "Cores it may use: 0-1,3",
    placeholder: "LIST",
    optional: true,
  },
  ...POLICY_FLAGS,
  dryRun: {
    kind: "boolean",
    brief: "Print the steps that a start would take, and start nothing",
    default: false,
    withNegated: false,
  },
} as const;

/** The spec that the flags and words ask for. @throws {CliError} flags that do not fit together */
export function toSpec(flags: SpecFlags, words: readonly string[]): Spec {
  const [command = "", ...args] = words;
  return {
    command,
    args,
    name: flags.name ?? "",
    env: Object.fromEntries(flags.env ?? []),
    workdir: flags.workdir ?? "",
    network: flags.network ?? "",
    limits: {
      ...(flags.maxCpu === undefined ? {} : { cpuPercent: flags.maxCpu }),
      ...(flags.maxMemory === undefined ? {} : { memoryBytes: flags.maxMemory }),
      ...(flags.maxIobps === undefined ? {} : { ioBytesPerSecond: flags.maxIobps }),
      cpuCores: flags.cpuCores ?? "",
    },
    ...(flags.timeout === undefined ? {} : { timeout: durationFromMs(flags.timeout) }),
    ...toPolicies(flags),
  };
}
