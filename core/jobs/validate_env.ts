/** The environment of a program and its secrets. Messages name a variable or a file, never its value. */
import type { PlainSecrets } from "./secrets.ts";
import type { JobSpecInput } from "./spec.ts";
import { byteLength, invalid, quoted } from "./text_checks.ts";

const MAX_VALUE_BYTES = 32 * 1024;
const MAX_FILES = 64;
const MAX_FILES_BYTES = 1024 * 1024;

/** Variables that are secret whatever way they were given. */
const LOOKS_SECRET = /^SECRET_|_(TOKEN|KEY|PASSWORD|SECRET)$/i;

/** Where a program is looked for: plans and messages on a program that was not found tell it. */
const NEVER_SECRET = "PATH";

type Env = Readonly<Record<string, string>>;

/** The variables that everybody who sees the job may see. @throws {EngineError} kind "invalid" */
export function parseEnv(env: Env = {}): Env {
  return checkVariables(pick(env, (name) => !LOOKS_SECRET.test(name)));
}

/** All that is secret: what was given as such, and variables whose names look so. @throws {EngineError} kind "invalid" */
export function parseSecrets(input: JobSpecInput): PlainSecrets {
  return { env: parseSecretEnv(input), files: parseFiles(input.secretFiles ?? {}) };
}

/** The environment's part of it. @throws {EngineError} kind "invalid" */
export function parseSecretEnv({ env = {}, secretEnv = {} }: JobSpecInput): Env {
  for (const name of Object.keys(secretEnv)) {
    if (Object.hasOwn(env, name)) {
      invalid(`Cannot use environment variable '${shown(name)}' twice: it is given as plain and as secret; drop one`);
    }
    if (name === NEVER_SECRET) {
      invalid(
        "Cannot use PATH as a secret: messages tell where a program was looked for; give it as plain environment",
      );
    }
  }
  return checkVariables({ ...secretEnv, ...pick(env, (name) => LOOKS_SECRET.test(name)) });
}

/** What variables take of the room that execve gives, in bytes. */
export function envBytes(env: Env): number {
  return Object.entries(env).reduce((sum, [name, value]) => sum + byteLength(name) + byteLength(value) + 2, 0);
}

function pick(env: Env, wanted: (name: string) => boolean): Env {
  return Object.fromEntries(Object.entries(env).filter(([name]) => wanted(name)));
}

/** Before a "=", as behind it may stand a value that was meant to be passed by itself. */
function shown(name: string): string {
  return quoted(name.split("=")[0]!).slice(1, -1);
}

function checkVariables(env: Env): Env {
  for (const [name, value] of Object.entries(env)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      invalid(`Cannot use environment variable '${shown(name)}': its name must match [A-Za-z_][A-Za-z0-9_]*`);
    }
    if (value.includes("\0")) invalid(`Cannot use environment variable '${shown(name)}': its value holds a NUL byte`);
    if (byteLength(value) > MAX_VALUE_BYTES) {
      invalid(`Cannot use environment variable '${shown(name)}': its value is longer than ${MAX_VALUE_BYTES} bytes`);
    }
  }
  return env;
}

function parseFiles(files: Readonly<Record<string, Uint8Array>>): PlainSecrets["files"] {
  const entries = Object.entries(files);
  if (entries.length > MAX_FILES) invalid(`Cannot use ${entries.length} secret files: a job may have ${MAX_FILES}`);
  for (const [name] of entries) {
    if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}$/.test(name)) {
      const wanted = "its name must be at most 255 of A-Z a-z 0-9 . _ - and not start with a dot";
      invalid(`Cannot use secret file ${quoted(name)}: ${wanted}`);
    }
  }
  const total = entries.reduce((sum, [, { length }]) => sum + length, 0);
  if (total > MAX_FILES_BYTES) {
    invalid(`Cannot pass ${total} bytes of secret files: at most ${MAX_FILES_BYTES} together`);
  }
  return Object.fromEntries(entries.map(([name, bytes]) => [name, new Uint8Array(bytes)]));
}
