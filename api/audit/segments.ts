/** The files of the audit log, `audit-<number of the first record>.jsonl`, and what is read of them. */
import { EngineError } from "../../core/errors.ts";
import { readBytes } from "../../core/file_bytes.ts";
import { type AuditRecord, type Head, parseLine, START } from "./record.ts";

/** One file of the log. */
export interface Segment {
  readonly path: string;
  /** Number of its first record. */
  readonly first: number;
}

/** A line without its newline. */
export interface Line {
  readonly bytes: Uint8Array;
  /** From 1. */
  readonly number: number;
  /** False for what stands behind the last newline. */
  readonly isWhole: boolean;
}

/** How a log ends. */
export interface LogEnd {
  readonly head: Head;
  /** What stands behind the newest segment's last newline, unless it is a record that lacks nothing but that. */
  readonly torn: Uint8Array;
  readonly lacksNewline: boolean;
}

const NAME = /^audit-(\d{12})\.jsonl$/;
const NEWLINE = 0x0a;
const CHUNK_BYTES = 1 << 18;
const END_BYTES = 1 << 16;

export function segmentPath(folder: string, first: number): string {
  return `${folder}/audit-${String(first).padStart(12, "0")}.jsonl`;
}

/** The segments in the order of their records; none if there is no such folder. @throws {EngineError} kind "precondition" */
export function listSegments(folder: string): Segment[] {
  const segments: Segment[] = [];
  const names = readable(folder, () => [...Deno.readDirSync(folder)]);
  for (const { name } of names ?? []) {
    const first = NAME.exec(name)?.[1];
    if (first !== undefined) segments.push({ path: `${folder}/${name}`, first: Number(first) });
  }
  return segments.sort((a, b) => a.first - b.first);
}

/** The lines of a segment, the oldest first. @throws {EngineError} kind "precondition" if it can't be read */
export async function* readLines({ path }: Segment): AsyncGenerator<Line> {
  using file = readable(path, () => Deno.openSync(path));
  if (file === undefined) throw new EngineError("precondition", `Cannot read ${path}: it was removed; try again`);
  let number = 0;
  let carry = new Uint8Array();
  for await (const chunk of chunksOf(file)) {
    const bytes = new Uint8Array(carry.length + chunk.length);
    bytes.set(carry);
    bytes.set(chunk, carry.length);
    let from = 0;
    for (let at; (at = bytes.indexOf(NEWLINE, from)) >= 0; from = at + 1) {
      yield { bytes: bytes.subarray(from, at), number: ++number, isWhole: true };
    }
    carry = bytes.slice(from);
  }
  if (carry.length > 0) yield { bytes: carry, number: number + 1, isWhole: false };
}

async function* chunksOf(file: Deno.FsFile): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    const count = await file.read(buffer);
    if (count === null) return;
    yield buffer.subarray(0, count);
  }
}

/** Where the chain is, and what stands behind it. */
export function readEnd(folder: string): LogEnd {
  const segments = listSegments(folder);
  const newest = segments.at(-1);
  if (newest === undefined) return { head: START, torn: new Uint8Array(), lacksNewline: false };
  const { last, tail } = endOf(newest);
  const whole = tail.length > 0 ? parseLine(tail) : undefined;
  if (whole) return { head: whole, torn: new Uint8Array(), lacksNewline: true };
  if (last) return { head: last, torn: tail, lacksNewline: false };
  for (const segment of segments.slice(0, -1).reverse()) {
    const found = endOf(segment).last;
    if (found) return { head: found, torn: tail, lacksNewline: false };
  }
  return { head: START, torn: tail, lacksNewline: false };
}

/** A segment's last record, and what stands behind its last newline. */
function endOf({ path }: Segment): { readonly last: AuditRecord | undefined; readonly tail: Uint8Array } {
  using file = readable(path, () => Deno.openSync(path));
  if (file === undefined) return { last: undefined, tail: new Uint8Array() };
  const { size } = file.statSync();
  for (let wanted = END_BYTES;; wanted *= 2) {
    const from = Math.max(0, size - wanted);
    const bytes = readAt(file, from, size - from);
    const end = bytes.lastIndexOf(NEWLINE);
    if (end < 0 && from > 0) continue;
    const last = lastRecord(bytes.subarray(0, Math.max(0, end)));
    if (last || from === 0) return { last, tail: bytes.subarray(end + 1) };
  }
}

function lastRecord(bytes: Uint8Array): AuditRecord | undefined {
  for (let end = bytes.length; end > 0;) {
    const before = bytes.lastIndexOf(NEWLINE, end - 1);
    const record = parseLine(bytes.subarray(before + 1, end));
    if (record) return record;
    end = before;
  }
  return undefined;
}

function readAt(file: Deno.FsFile, from: number, length: number): Uint8Array {
  file.seekSync(from, Deno.SeekMode.Start);
  return readBytes(file, length);
}

/** Undefined for what is not there. */
function readable<T>(path: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    if (cause instanceof Deno.errors.PermissionDenied) {
      throw new EngineError("precondition", `Cannot read ${path}: permission denied; run this as root`, { cause });
    }
    throw cause;
  }
}
