/** Turns a spec from outside into one that holds: one small check a rule, all before anything is created. */
import type { JobSpec, JobSpecInput, NetworkMode } from "./spec.ts";
import { byteLength, invalid, quoted } from "./text_checks.ts";
import { envBytes, parseEnv, parseSecretEnv } from "./validate_env.ts";
import { parseLimits } from "./validate_limits.ts";
import { parseLabels, parsePriority, parseRetry, parseSchedule } from "./validate_policy.ts";

const MAX_ARGUMENT_BYTES = 128 * 1024 - 1; // MAX_ARG_STRLEN of the kernel, without the NUL
const MAX_TOTAL_BYTES = 1024 * 1024; // half of what execve takes by default
const MAX_TIMEOUT_MS = 366 * 24 * 3_600_000;
const MAX_WORKDIR_BYTES = 4095;
const MAX_UID = 65_533; // 65534 is nobody: what is not mapped into the job

/** Validates a spec; its secrets are `parseSecrets`' business. @throws {EngineError} kind "invalid", naming the field and the cure */
export function parseSpec(input: JobSpecInput): JobSpec {
  const args = input.args ?? [];
  const timeoutMs = parseTimeout(input.timeoutMs);
  const spec: JobSpec = {
    command: parseCommand(input.command),
    args: args.map((arg, index) => parseText(`argument ${index + 1}`, arg, MAX_ARGUMENT_BYTES)),
    name: parseName(input.name ?? ""),
    env: parseEnv(input.env),
    workdir: parseWorkdir(input.workdir || "/work"),
    network: parseNetwork(input.network || "none"),
    ...(input.uid === undefined ? {} : { uid: parseUid(input.uid) }),
    ...(input.profile ? { profile: parseProfile(input.profile) } : {}),
    ...(parseWork(input.work || "private") === "kept" ? { work: "kept" } : {}),
    limits: parseLimits(input.limits ?? {}),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    labels: parseLabels(input.labels ?? {}),
    priority: parsePriority(input.priority ?? 0),
    ...(input.retry && input.retry.limit !== 0 ? { retry: parseRetry(input.retry) } : {}),
    ...(input.schedule ? { schedule: parseSchedule(input.schedule) } : {}),
  };
  checkTotal(spec, envBytes(parseSecretEnv(input)));
  return spec;
}

const MAX_KEY_LENGTH = 128;

/** An idempotency key; an empty one is none. @throws {EngineError} kind "invalid" */
export function checkKey(key: string | undefined): string | undefined {
  if (key === undefined || key === "") return undefined;
  if (key.length <= MAX_KEY_LENGTH && /^[\x21-\x7e]+$/.test(key)) return key;
  return invalid(`Cannot use idempotency key ${quoted(key)}: it must be at most 128 printable ASCII characters`);
}

function parseText(field: string, text: string, maxBytes: number): string {
  if (text.includes("\0")) invalid(`Cannot use ${field} ${quoted(text)}: it holds a NUL byte`);
  if (byteLength(text) > maxBytes) invalid(`Cannot use ${field}: it is longer than ${maxBytes} bytes`);
  return text;
}

function parseCommand(command: string | undefined): string {
  if (!command) invalid("Cannot run a job without a command: name the program to run");
  return parseText("command", command, MAX_WORKDIR_BYTES);
}

function parseName(name: string): string {
  if (/^[A-Za-z0-9._-]{0,63}$/.test(name) && !name.startsWith("-")) return name;
  return invalid(`Cannot use name ${quoted(name)}: it must be at most 63 of A-Z a-z 0-9 . _ - and not start with -`);
}

/** Not below /proc: /proc/self/fd/N would lead to whatever that file is (CVE-2024-21626). */
function parseWorkdir(path: string): string {
  parseText("working directory", path, MAX_WORKDIR_BYTES);
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (!path.startsWith("/") || parts.includes("..") || parts[0] === "proc") {
    invalid(`Cannot use working directory ${quoted(path)}: it must be absolute, without '..' and not below /proc`);
  }
  return `/${parts.join("/")}`;
}

function parseNetwork(network: string): NetworkMode {
  if (network === "none" || network === "host") return network;
  return invalid(`Cannot use network ${quoted(network)}: it must be 'none' or 'host'`);
}

function parseTimeout(timeoutMs: number | undefined): number | undefined {
  if (timeoutMs === undefined) return undefined;
  if (Number.isFinite(timeoutMs) && timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS) return Math.ceil(timeoutMs);
  return invalid(`Cannot use timeout of ${timeoutMs} ms: it must be between 1 ms and 366 days`);
}

function parseUid(uid: number): number {
  if (Number.isInteger(uid) && uid >= 0 && uid <= MAX_UID) return uid;
  return invalid(`Cannot use user ${uid}: it must be a whole number from 0 to ${MAX_UID}`);
}

function parseProfile(profile: string): string {
  if (/^[a-z][a-z0-9_-]{0,30}$/.test(profile)) return profile;
  const wanted = "it must be at most 31 of a-z 0-9 _ - and start with a letter";
  return invalid(`Cannot use profile ${quoted(profile)}: ${wanted}`);
}

function parseWork(work: string): "private" | "kept" {
  if (work === "private" || work === "kept") return work;
  return invalid(`Cannot use work folder ${quoted(work)}: it must be 'private' or 'kept'`);
}

function checkTotal(spec: JobSpec, secretBytes: number): void {
  const env = envBytes(spec.env) + secretBytes;
  const args = spec.args.reduce((sum, arg) => sum + byteLength(arg) + 1, 0);
  if (env + args > MAX_TOTAL_BYTES) {
    invalid(`Cannot pass ${env + args} bytes of arguments and environment: at most ${MAX_TOTAL_BYTES}`);
  }
}
