/**
 * Values that only the job's program may see. Here they are plain in a request alone; a job keeps them sealed, and what starts
 * it opens them for as long as that takes. This folder knows the seal by its interface; core/secrets implements it.
 */
import type { JobSpec } from "./spec.ts";

/** Secrets as the program gets them. */
export interface PlainSecrets {
  /** Environment variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Files of /run/secrets by name. */
  readonly files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
}

/** Secrets as a job keeps them. */
export type SealedSecrets = Pick<JobSpec, "secretEnv" | "secretFiles">;

export interface SecretBox {
  /**
   * Seals them for this owner's jobs; without secrets nothing is done.
   * @throws {EngineError} kind "precondition" if there is no key that may be used
   */
  seal(secrets: PlainSecrets, owner: string): SealedSecrets;
  /**
   * What `seal` was given; without secrets nothing is done.
   * @throws {EngineError} kind "precondition", naming the secret, if its key is gone or it is not this owner's
   */
  open(sealed: SealedSecrets, owner: string): PlainSecrets;
}

/** The same names, with values that tell nothing but the size of files. */
export function hideSecrets({ env, files }: PlainSecrets): PlainSecrets {
  return {
    env: mapValues(env, () => "***"),
    files: mapValues(files, ({ length }) => new Uint8Array(length)),
  };
}

/** Whether a stored job's secrets are these. @throws {EngineError} as `SecretBox.open` */
export function sameSecrets(box: SecretBox, sealed: SealedSecrets, owner: string, asked: PlainSecrets): boolean {
  if (!sameNames(sealed.secretEnv ?? {}, asked.env) || !sameNames(sealed.secretFiles ?? {}, asked.files)) return false;
  const stored = box.open(sealed, owner);
  const same = Object.entries(asked.env).every(([name, value]) => stored.env[name] === value) &&
    Object.entries(asked.files).every(([name, bytes]) => sameBytes(stored.files[name], bytes));
  wipeFiles(stored);
  return same;
}

/** Overwrites the contents of files that are needed no more. Of texts the runtime keeps copies that nobody can reach. */
export function wipeFiles({ files }: PlainSecrets): void {
  for (const bytes of Object.values(files)) bytes.fill(0);
}

/** A record with the same names. Made by definition, so that a name like __proto__ is one like any other. */
export function mapValues<T, U>(
  record: Readonly<Record<string, T>>,
  change: (value: T, name: string) => U,
): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value, name)]));
}

function sameNames(one: object, other: object): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => Object.hasOwn(other, name));
}

function sameBytes(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one?.length === other.length && other.every((byte, index) => one[index] === byte);
}
