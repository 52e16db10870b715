import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { GLOBAL_FLAGS } from "../command.ts";
import type { GlobalFlags } from "../context.ts";
import type { Spec } from "../start_job.ts";
import { LIMIT_FLAGS, type LimitFlags, TIMEOUT_FLAG, toLimits } from "./limit_flags.ts";
import { POLICY_FLAGS, type PolicyFlags, toPolicies } from "./policy_flags.ts";
import { SECRET_FLAGS, type SecretFlags, toSecrets } from "./secret_flags.ts";

export interface SpecFlags extends GlobalFlags, LimitFlags, PolicyFlags, SecretFlags {
  readonly name?: string;
  readonly env?: readonly (readonly [string, string])[];
  readonly workdir?: string;
  readonly network?: string;
  readonly timeout?: number;
  readonly user?: number;
  readonly profile?: string;
  readonly work?: string;
  readonly dryRun: boolean;
}

/** Users that have a name in every job. */
const USERS: Readonly<Record<string, number>> = { job: 1000, root: 0 };
const MAX_UID = 65_533;
const WORK_FOLDERS: readonly string[] = ["private", "kept"];

function parseEnv(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  // No more of it than the name: the rest may be secret.
  if (at < 1) throw new RangeError(`Cannot use --env '${at < 0 ? text : ""}': it must look like NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function parseUser(text: string): number {
  if (Object.hasOwn(USERS, text)) return USERS[text]!;
  if (/^\d{1,5}$/.test(text) && Number(text) <= MAX_UID) return Number(text);
  throw new RangeError(`Cannot use --user '${text}': it must be job, root or a number from 0 to ${MAX_UID}`);
}

function parseWork(text: string): string {
  if (WORK_FOLDERS.includes(text)) return text;
  throw new RangeError(`Cannot use --work '${text}': it must be one of ${WORK_FOLDERS.join(", ")}`);
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
  ...SECRET_FLAGS,
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
  timeout: TIMEOUT_FLAG,
  user: {
    kind: "parsed",
    parse: parseUser,
    proposeCompletions: () => Object.keys(USERS),
    brief: "User inside the job: job, root (inside only) or a number (default: job)",
    placeholder: "USER",
    optional: true,
  },
  profile: {
    kind: "parsed",
    parse: String,
    brief: "What the sandbox allows, by a name that the server knows (default: default)",
    placeholder: "NAME",
    optional: true,
  },
  work: {
    kind: "parsed",
    parse: parseWork,
    proposeCompletions: () => [...WORK_FOLDERS],
    brief: "private: /work is new for each attempt, or kept: it is on the disk, for all (default: private)",
    placeholder: "KIND",
    optional: true,
  },
  ...LIMIT_FLAGS,
  ...POLICY_FLAGS,
  dryRun: {
    kind: "boolean",
    brief: "Print the steps that a start would take, and start nothing",
    default: false,
    withNegated: false,
  },
} as const;

/** The spec that the flags and words ask for. @throws {RangeError} flags that do not fit together, files that can't be read */
export function toSpec(flags: SpecFlags, words: readonly string[]): Spec {
  const [command = "", ...args] = words;
  return {
    command,
    args,
    name: flags.name ?? "",
    env: Object.fromEntries(flags.env ?? []),
    ...toSecrets(flags),
    workdir: flags.workdir ?? "",
    network: flags.network ?? "",
    ...(flags.user === undefined ? {} : { uid: flags.user }),
    profile: flags.profile ?? "",
    work: flags.work ?? "",
    limits: toLimits(flags),
    ...(flags.timeout === undefined ? {} : { timeout: durationFromMs(flags.timeout) }),
    ...toPolicies(flags),
  };
}
