/** The records that somebody asks for. */
import { type AuditRecord, toRecord } from "./record.ts";
import { listSegments, readLines, type Segment } from "./segments.ts";

/** What is absent does not restrict. */
export interface AuditQuery {
  /** From this time on, and before that one. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  /** Of this caller, or of one whose certificate claims the name. */
  readonly name?: string;
  /** "joblet.v1.JobService/RunJob", or its last part, "RunJob". */
  readonly method?: string;
  readonly denied?: boolean;
  /** The start of what was called for. */
  readonly object?: string;
  /** Only the last so many that fit. */
  readonly tail?: number;
}

/** One line. */
export interface AuditLine {
  readonly text: string;
  /** Absent for a line that is no record. */
  readonly record?: AuditRecord;
}

/**
 * The lines that fit, the oldest first, and, unless a number of them is asked for, those that are no records. Hashes are not looked at.
 * @throws {EngineError} kind "precondition" if the log can't be read
 */
export async function* queryAudit(folder: string, query: AuditQuery): AsyncGenerator<AuditLine> {
  const segments = listSegments(folder);
  if (query.tail === undefined) {
    for (const segment of segments) yield* fitting(segment, query);
    return;
  }
  let found: AuditLine[] = [];
  for (const segment of segments.reverse()) {
    if (found.length >= query.tail) break;
    found = [...await lastOf(segment, query, query.tail - found.length), ...found];
  }
  yield* found;
}

async function lastOf(segment: Segment, query: AuditQuery, count: number): Promise<AuditLine[]> {
  let found: AuditLine[] = [];
  for await (const line of fitting(segment, query)) {
    if (line.record) found.push(line);
    if (found.length > 2 * count + 1000) found = found.slice(-count);
  }
  return found.slice(-count);
}

async function* fitting(segment: Segment, query: AuditQuery): AsyncGenerator<AuditLine> {
  const decoder = new TextDecoder();
  for await (const { bytes, isWhole } of readLines(segment)) {
    const text = decoder.decode(bytes);
    const record = toRecord(text);
    if (record && fits(record, query)) yield { text, record };
    else if (!record && isWhole) yield { text };
  }
}

function fits(record: AuditRecord, { sinceMs, untilMs, name, method, denied, object }: AuditQuery): boolean {
  const atMs = Date.parse(record.time);
  if (sinceMs !== undefined && atMs < sinceMs) return false;
  if (untilMs !== undefined && atMs >= untilMs) return false;
  const isOfCall = name !== undefined || method !== undefined || denied === true || object !== undefined;
  if ("event" in record) return !isOfCall;
  if (name !== undefined && record.name !== name && record.claimed_name !== name) return false;
  if (method !== undefined && record.method !== method && !record.method.endsWith(`/${method}`)) return false;
  if (denied && record.decision !== "denied") return false;
  return object === undefined || (record.object ?? "").startsWith(object);
}
