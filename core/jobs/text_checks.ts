/** What the checks of texts from outside have in common. */
import { EngineError } from "../errors.ts";

const encoder = new TextEncoder();

/** Bytes of a text as UTF-8. */
export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** @throws {EngineError} always, kind "invalid" */
export function invalid(message: string): never {
  throw new EngineError("invalid", message);
}

/** A value for a message, cut so that the message stays one line. Never for one that may be secret. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
