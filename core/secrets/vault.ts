/**
 * Encrypts the secrets of jobs at rest, with AES-256-GCM. A sealed text is
 *
 *   1.<id of the key>.<base64 of nonce, ciphertext and tag>
 *
 * and the tag covers whose it is, what kind and which name: a sealed text that is copied to another user's job or to another
 * variable does not open. Not which job: runs of a recurring job have those of the job that starts them.
 */
import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { EngineError } from "../errors.ts";
import { mapValues, type PlainSecrets, type SealedSecrets, type SecretBox } from "../jobs/secrets.ts";
import type { SealedText } from "../jobs/spec.ts";
import { makeKey, readKeys, type SealingKey } from "./key_file.ts";

const CIPHER = "aes-256-gcm";
const FORMAT = "1";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Takes nothing off a value's beginning. */
const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

type Kind = "environment variable" | "file";

/** Which secret it is. */
interface Place {
  readonly owner: string;
  readonly kind: Kind;
  readonly name: string;
}

export class SecretVault implements SecretBox {
  readonly #path: string;

  /** @param path file with the keys, made with the first secret */
  constructor(path: string) {
    this.#path = path;
  }

  seal({ env, files }: PlainSecrets, owner: string): SealedSecrets {
    const [hasEnv, hasFiles] = [Object.keys(env).length > 0, Object.keys(files).length > 0];
    if (!hasEnv && !hasFiles) return {};
    using keys = held(readKeys(this.#path) ?? [makeKey(this.#path)]);
    const key = keys.all[0]!;
    const seal = (kind: Kind) => (value: string | Uint8Array, name: string) =>
      encrypt(key, { owner, kind, name }, value);
    return {
      ...(hasEnv && { secretEnv: mapValues(env, seal("environment variable")) }),
      ...(hasFiles && { secretFiles: mapValues(files, seal("file")) }),
    };
  }

  open({ secretEnv = {}, secretFiles = {} }: SealedSecrets, owner: string): PlainSecrets {
    if (Object.keys(secretEnv).length === 0 && Object.keys(secretFiles).length === 0) return { env: {}, files: {} };
    using keys = held(readKeys(this.#path) ?? []);
    const open = (kind: Kind) => (sealed: SealedText, name: string) =>
      this.#open(keys.all, { owner, kind, name }, sealed);
    const variable = open("environment variable");
    return {
      env: mapValues(secretEnv, (sealed, name) => UTF8.decode(variable(sealed, name))),
      files: mapValues(secretFiles, open("file")),
    };
  }

  #open(keys: readonly SealingKey[], place: Place, sealed: SealedText): Uint8Array<ArrayBuffer> {
    const [format, id, text = ""] = sealed.split(".");
    if (format !== FORMAT) throw failed(place, "a newer joblet sealed it, or its record is damaged");
    const key = keys.find((key) => key.id === id);
    if (!key) throw failed(place, `the key that sealed it is not in ${this.#path}; put that key back`);
    return decrypt(key, place, text);
  }
}

/** Keys that are overwritten when they go out of scope. */
function held(all: readonly SealingKey[]) {
  return {
    all,
    [Symbol.dispose]() {
      for (const key of all) key[Symbol.dispose]();
    },
  };
}

function encrypt(key: SealingKey, place: Place, value: string | Uint8Array): SealedText {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key.bytes, nonce);
  cipher.setAAD(bound(place));
  const body = typeof value === "string" ? cipher.update(value, "utf8") : cipher.update(value);
  const bytes = Buffer.concat([nonce, body, cipher.final(), cipher.getAuthTag()]);
  return `${FORMAT}.${key.id}.${bytes.toString("base64")}`;
}

function decrypt(key: SealingKey, place: Place, text: string): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(text, "base64");
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw failed(place, "its record is damaged");
  const decipher = createDecipheriv(CIPHER, key.bytes, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(bound(place));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const body = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
  try {
    decipher.final();
  } catch {
    // The runtime's error says no more than that the tag does not fit.
    body.fill(0);
    throw failed(place, "its record is damaged, or was made for another user or name");
  }
  // Out of the pool that small buffers share, so that it can be overwritten and handed to the kernel.
  const own = new Uint8Array(body);
  body.fill(0);
  return own;
}

/** What the tag covers besides the text. */
function bound({ owner, kind, name }: Place): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(["joblet secret", FORMAT, owner, kind, name]));
}

/** Without a cause: an errno in it would pass for a failed system call of the start. */
function failed({ kind, name }: Place, why: string): EngineError {
  return new EngineError("precondition", `Cannot open the secret ${kind} '${name}': ${why}`);
}
