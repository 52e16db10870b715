/** `--secret-env` and `--secret-file`: values that nobody is told of but the job. */
import type { Spec } from "../start_job.ts";

export interface SecretFlags {
  readonly secretEnv?: readonly SecretVariable[];
  readonly secretFile?: readonly SecretFile[];
}

type SecretVariable = readonly [name: string, value: string];

interface SecretFile {
  readonly name: string;
  readonly path: string;
}

/** What the server takes of all secret files together, in bytes. */
const MAX_FILE_BYTES = 1024 * 1024;

/** Without a value it is the command line's own variable: nothing secret is typed or shown among the processes then. */
function parseSecretEnv(text: string): SecretVariable {
  const at = text.indexOf("=");
  const name = at < 0 ? text : text.slice(0, at);
  if (name === "") throw new RangeError("Cannot use --secret-env without a name: it must look like NAME or NAME=VALUE");
  if (at >= 0) return [name, text.slice(at + 1)];
  const value = readVariable(name);
  if (value !== undefined) return [name, value];
  throw new RangeError(
    `Cannot use --secret-env '${name}': there is no such variable in the environment; export it first`,
  );
}

/** undefined also for what can't be a name. */
function readVariable(name: string): string | undefined {
  return name.includes("\0") ? undefined : Deno.env.get(name);
}

/** A path alone goes by its last part. */
function parseSecretFile(text: string): SecretFile {
  const at = text.indexOf("=");
  const path = at < 0 ? text : text.slice(at + 1);
  const name = at < 0 ? path.slice(path.lastIndexOf("/") + 1) : text.slice(0, at);
  if (name !== "" && path !== "") return { name, path };
  throw new RangeError(`Cannot use --secret-file '${text}': it must look like NAME=PATH or PATH`);
}

export const SECRET_FLAGS = {
  secretEnv: {
    kind: "parsed",
    parse: parseSecretEnv,
    brief: "Secret variable, its value taken from the environment; NAME=VALUE works too, repeatable",
    placeholder: "NAME",
    optional: true,
    variadic: true,
  },
  secretFile: {
    kind: "parsed",
    parse: parseSecretFile,
    brief: "Secret file, in the job at /run/secrets/NAME (default: the file's own name), repeatable",
    placeholder: "[NAME=]PATH",
    optional: true,
    variadic: true,
  },
} as const;

/** @throws {RangeError} a file that can't be read, or a name that is given twice */
export function toSecrets({ secretEnv = [], secretFile = [] }: SecretFlags): Pick<Spec, "secretEnv" | "secretFiles"> {
  requireOnce("--secret-file", secretFile.map(({ name }) => name));
  return {
    ...(secretEnv.length > 0 && { secretEnv: Object.fromEntries(secretEnv) }),
    ...(secretFile.length > 0 && {
      secretFiles: Object.fromEntries(secretFile.map(({ name, path }) => [name, readSecretFile(path)])),
    }),
  };
}

/** Of files of one name in two folders, one would be left out without a word. */
function requireOnce(flag: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new RangeError(`Cannot use ${flag} '${twice}' twice: name one of them with NAME=PATH`);
}

/** Reads to the end, as a pipe has no size, but no further than what the server takes. */
function readSecretFile(path: string): Uint8Array {
  const bytes = new Uint8Array(MAX_FILE_BYTES + 1);
  let length = 0;
  try {
    using file = Deno.openSync(path);
    for (let count: number | null = 0; count !== null && length < bytes.length; length += count ?? 0) {
      count = file.readSync(bytes.subarray(length));
    }
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    throw new RangeError(`Cannot read --secret-file '${path}': ${error.message.replace(/ \(os error.*/s, "")}`);
  }
  if (length <= MAX_FILE_BYTES) return bytes.slice(0, length);
  throw new RangeError(`Cannot use --secret-file '${path}': it is larger than ${MAX_FILE_BYTES} bytes`);
}
