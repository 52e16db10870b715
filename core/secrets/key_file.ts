/**
 * The file with the keys that secrets are sealed with: one a line, 32 bytes as base64, mode 0600. The first one seals, all of
 * them open, so a new key goes on top and an old one stays as long as jobs need it. It is read whenever it is needed: a change
 * holds at once, and no key stays in memory.
 */
import { createHash } from "node:crypto";
import { EngineError } from "../errors.ts";
import { readBytes, writeBytes } from "../file_bytes.ts";

const KEY_BYTES = 32;
const ID_BYTES = 8;
/** Room for some hundred keys. */
const MAX_FILE_BYTES = 16 * 1024;

export interface SealingKey extends Disposable {
  /** Tells keys apart and nothing of the key: the first bytes of its hash, as hexadecimal digits. */
  readonly id: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * The keys in their order; undefined if there is no such file.
 * @throws {EngineError} kind "precondition" if others may read it, or it holds no keys
 */
export function readKeys(path: string): SealingKey[] | undefined {
  const text = readPrivate(path);
  if (text === undefined) return undefined;
  const lines = text.split("\n").map((line) => line.trim());
  const keys = lines.flatMap((line, index) => line === "" ? [] : [toKey(decodeLine(line, index + 1, path))]);
  if (keys.length === 0) throw unusable(path, "it is empty; put back the key that it held");
  return keys;
}

/** Makes the file with one key that nobody has had, durable when this returns. */
export function makeKey(path: string): SealingKey {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const folder = path.slice(0, path.lastIndexOf("/"));
  Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    {
      using file = Deno.openSync(temporary, { write: true, createNew: true, mode: 0o600 });
      const line = new TextEncoder().encode(`${bytes.toBase64()}\n`);
      writeBytes(file, line);
      file.syncSync();
    }
    // Unlike a rename this replaces nothing: a key that came meanwhile is not lost.
    Deno.linkSync(temporary, path);
  } finally {
    Deno.removeSync(temporary);
  }
  using opened = Deno.openSync(folder);
  opened.syncSync();
  return toKey(bytes);
}

function toKey(bytes: Uint8Array<ArrayBuffer>): SealingKey {
  const id = createHash("sha256").update("joblet key id\0").update(bytes).digest().subarray(0, ID_BYTES).toString(
    "hex",
  );
  return { id, bytes, [Symbol.dispose]: () => void bytes.fill(0) };
}

function decodeLine(line: string, number: number, path: string): Uint8Array<ArrayBuffer> {
  try {
    const bytes = Uint8Array.fromBase64(line);
    if (bytes.length === KEY_BYTES) return bytes;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw unusable(path, `line ${number} must be ${KEY_BYTES} bytes as base64, as 'openssl rand -base64 32' makes`);
}

function readPrivate(path: string): string | undefined {
  using file = openIfThere(path);
  if (file === undefined) return undefined;
  // Asked of the open file, so that it can't be exchanged in between.
  const { mode, uid, isFile, size } = file.statSync();
  const bits = (mode ?? 0) & 0o777;
  if (!isFile || size > MAX_FILE_BYTES) throw unusable(path, "it is no file of keys");
  if ((bits & 0o077) !== 0) {
    throw unusable(path, `its mode ${bits.toString(8)} lets others at the keys; run 'chmod 600 ${path}'`);
  }
  if (uid !== Deno.uid()) throw unusable(path, `it belongs to user ${uid}; run 'chown ${Deno.uid()} ${path}'`);
  const bytes = readBytes(file, size);
  const text = new TextDecoder().decode(bytes);
  bytes.fill(0);
  return text;
}

function openIfThere(path: string): Deno.FsFile | undefined {
  try {
    return Deno.openSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function unusable(path: string, why: string): EngineError {
  return new EngineError("precondition", `Cannot use ${path}: ${why}`);
}
