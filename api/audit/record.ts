/**
 * One line of the audit log: a JSON object whose last member is the SHA-256 of all bytes of the line before that member.
 * `prev` holds the hash of the line before, so that no line can be changed, taken out or moved without a trace.
 */
import { createHash } from "node:crypto";

/** A call that changes something, or one that was denied. */
export interface CallEntry {
  /** Who called, by the verified certificate; absent for a caller that was refused. */
  readonly name?: string;
  readonly role?: string;
  readonly serial?: string;
  /** What the certificate of a refused caller says; nobody vouches for it. */
  readonly claimed_name?: string;
  readonly claimed_serial?: string;
  /** "joblet.v1.JobService/RunJob" */
  readonly method: string;
  /** The job that was made, or what the request names; absent where there is nothing to name. */
  readonly object?: string;
  readonly decision: "allowed" | "denied";
  /** "OK", or the name of the gRPC status code: "PERMISSION_DENIED". */
  readonly code: string;
  /** Joins the record with the server's log and the client's error message. */
  readonly request: string;
  /** Address and port of the caller. */
  readonly peer: string;
}

/** What the log tells of itself. */
export type EventEntry =
  /** The line before is no record: its write was cut short. So many bytes, with this hash. */
  | { readonly event: "torn"; readonly bytes: number; readonly sha256: string }
  /** So many calls have no record, as nothing could be written. */
  | { readonly event: "gap"; readonly missing: number }
  /** All records up to this one were removed, as the log reached its bound. */
  | { readonly event: "removed"; readonly through: number };

export type AuditEntry = CallEntry | EventEntry;

export type AuditRecord = AuditEntry & {
  /** 1 for the first record there ever was, without holes. */
  readonly seq: number;
  /** RFC 3339, UTC, with milliseconds. */
  readonly time: string;
  /** Hash of the record before, in hexadecimal digits; zeros for the first. */
  readonly prev: string;
  readonly hash: string;
};

/** A place in the chain. */
export interface Head {
  readonly seq: number;
  readonly hash: string;
}

/** Before the first record. */
export const START: Head = { seq: 0, hash: "0".repeat(64) };

const HASH_MEMBER = /^,"hash":"([0-9a-f]{64})"\}$/;
const HASH_MEMBER_BYTES = 75;
const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

/** In lower-case hexadecimal digits. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The line of an entry, newline included, and where the chain is then. */
export function formatLine(entry: AuditEntry, before: Head, nowMs: number): { line: Uint8Array; head: Head } {
  const seq = before.seq + 1;
  const text = JSON.stringify({ seq, time: new Date(nowMs).toISOString(), ...entry, prev: before.hash }).slice(0, -1);
  const hash = sha256(text);
  return { line: encoder.encode(`${text},"hash":"${hash}"}\n`), head: { seq, hash } };
}

/** The record of a line without its newline; undefined unless the hash is that of the line's bytes. */
export function parseLine(line: Uint8Array): AuditRecord | undefined {
  const at = line.length - HASH_MEMBER_BYTES;
  if (at <= 0) return undefined;
  try {
    const hash = HASH_MEMBER.exec(decoder.decode(line.subarray(at)))?.[1];
    if (hash === undefined || hash !== sha256(line.subarray(0, at))) return undefined;
    return toRecord(decoder.decode(line));
  } catch (error) {
    // Bytes that are no text.
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** The record that a text says; its hash is not looked at. Undefined if the text says none. */
export function toRecord(text: string): AuditRecord | undefined {
  try {
    const value = JSON.parse(text) as AuditRecord | null;
    const isRecord = typeof value?.seq === "number" && typeof value.time === "string" && typeof value.prev === "string";
    return isRecord ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
