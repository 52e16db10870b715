import { createHash } from "node:crypto";

/** Names of files have at most 255 bytes. */
const MAX_NAME_LENGTH = 128;
const KEPT_LENGTH = 64;
const HASH_LENGTH = 32;

const PREFIX = "user-";

/**
 * Name of the cgroup folder of an owner, one for each. What is not a letter, digit, "_" or "-" is written as "%2E", so a
 * name leads nowhere else; a long one is cut, and told from others by a hash behind "~".
 */
export function userFolder(owner: string): string {
  const name = /^[A-Za-z0-9_-]*$/.test(owner) ? owner : escape(owner);
  if (name.length <= MAX_NAME_LENGTH) return `${PREFIX}${name}`;
  const hash = createHash("sha256").update(owner).digest("hex").slice(0, HASH_LENGTH);
  return `${PREFIX}${name.slice(0, KEPT_LENGTH)}~${hash}`;
}

/** Whether a folder is one of an owner's. */
export function isUserFolder(name: string): boolean {
  return name.startsWith(PREFIX);
}

function escape(owner: string): string {
  let name = "";
  for (const byte of new TextEncoder().encode(owner)) {
    const character = String.fromCharCode(byte);
    name += /[A-Za-z0-9_-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return name;
}
