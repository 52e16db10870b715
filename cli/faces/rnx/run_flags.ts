/** Flags of `rnx job run`. */
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { parseDuration } from "../../../core/values/duration.ts";
import { GLOBAL_FLAGS } from "../../command.ts";
import { LIMIT_FLAGS, type LimitFlags, toLimits } from "../../commands/limit_flags.ts";
import type { GlobalFlags } from "../../context.ts";
import { CliError } from "../../errors.ts";
import type { Spec } from "../../start_job.ts";
import { parseCount } from "../../tree/parameters.ts";
import { environmentFlag } from "../environment_flag.ts";
import { parseSchedule, type ScheduledTime } from "./schedule.ts";

type Variable = readonly [name: string, value: string];

/** Flags of features that joblet does not have: taken, so that the answer is which feature is missing. */
const MISSING = {
  upload: ["uploads", String, "PATH"],
  uploadDir: ["uploads", String, "PATH"],
  volume: ["volumes", String, "NAME"],
  runtime: ["runtimes", String, "NAME"],
  workflow: ["workflows", String, "FILE"],
  gpu: ["GPUs for jobs", parseCount, "N"],
  gpuMemory: ["GPUs for jobs", String, "SIZE"],
} as const;

type MissingName = keyof typeof MISSING;

export interface RunFlags
  extends GlobalFlags, Pick<LimitFlags, "maxCpu" | "maxMemory" | "maxIobps" | "cpuCores">, MissingValues {
  readonly name?: string;
  readonly env?: readonly Variable[];
  readonly secretEnv?: readonly Variable[];
  readonly network?: string;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly schedule?: ScheduledTime;
}

type MissingValues = { readonly [Name in MissingName]?: readonly (string | number)[] };

function missingFlag(name: MissingName) {
  const [what, parse, placeholder] = MISSING[name];
  const brief = `joblet has no ${what} yet`;
  return { kind: "parsed", parse, brief, placeholder, optional: true, variadic: true } as const;
}

export const RUN_FLAGS = {
  ...GLOBAL_FLAGS,
  maxCpu: LIMIT_FLAGS.maxCpu,
  maxMemory: LIMIT_FLAGS.maxMemory,
  maxIobps: LIMIT_FLAGS.maxIobps,
  cpuCores: LIMIT_FLAGS.cpuCores,
  schedule: {
    kind: "parsed",
    parse: (text: string) => parseSchedule(text),
    brief: "Run at this time, or after it: 2h30m, '30 min', '2026-03-01 07:30' (local), 2026-03-01T07:30:00Z",
    placeholder: "WHEN",
    optional: true,
  },
  timeout: {
    kind: "parsed",
    parse: parseDuration,
    brief: "End the job after this time: 30s, 5m, 1h (default: never)",
    placeholder: "TIME",
    optional: true,
  },
  name: { kind: "parsed", parse: String, brief: "Name for lists", placeholder: "NAME", optional: true },
  network: {
    kind: "parsed",
    parse: String,
    brief: "none or isolated: loopback only, host: the host's network (default: none)",
    placeholder: "NAME",
    optional: true,
  },
  env: environmentFlag("--env", "Environment variable, repeatable"),
  secretEnv: environmentFlag("--secret-env", "Environment variable that nobody is told of, repeatable"),
  upload: missingFlag("upload"),
  uploadDir: missingFlag("uploadDir"),
  volume: missingFlag("volume"),
  runtime: missingFlag("runtime"),
  workflow: missingFlag("workflow"),
  gpu: missingFlag("gpu"),
  gpuMemory: missingFlag("gpuMemory"),
} as const;

/** Names of networks in the API. */
const NETWORKS: Readonly<Record<string, string>> = { none: "none", isolated: "none", host: "host" };

function networkOf(name: string | undefined): string {
  if (name === undefined) return "";
  const network = Object.hasOwn(NETWORKS, name) ? NETWORKS[name] : undefined;
  if (network !== undefined) return network;
  throw new CliError(
    `Cannot use --network ${name}: joblet has no networks of its own yet; take none, isolated or host`,
  );
}

/** @throws {CliError} a feature is asked for that joblet does not have */
export function checkFeatures(flags: RunFlags): void {
  for (const name of Object.keys(MISSING) as MissingName[]) {
    if (flags[name] === undefined) continue;
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new CliError(`Cannot use ${flag}: joblet has no ${MISSING[name][0]} yet`);
  }
  networkOf(flags.network);
}

/** The spec that the flags and words ask for. */
export function toSpec(flags: RunFlags, [command = "", ...args]: readonly string[]): Spec {
  const { maxCpu, maxMemory, maxIobps, cpuCores } = flags;
  const limits = Object.entries({ maxCpu, maxMemory, maxIobps, cpuCores }).filter(([, value]) => value !== undefined);
  return {
    command,
    args: [...args],
    name: flags.name ?? "",
    env: Object.fromEntries(flags.env ?? []),
    secretEnv: Object.fromEntries(flags.secretEnv ?? []),
    network: networkOf(flags.network),
    limits: toLimits(Object.fromEntries(limits)),
    ...(flags.timeout === undefined ? {} : { timeout: durationFromMs(flags.timeout) }),
    ...(flags.schedule === undefined ? {} : { schedule: { when: flags.schedule.when } }),
  };
}
