import { EngineError } from "../errors.ts";
import { JournalCursor } from "./journal_cursor.ts";
import type { JournalReader } from "./journal_reader.ts";
import { JOURNAL_HEADER_SIZE } from "./journal_header.ts";
import { LineRing } from "./line_ring.ts";
import type { LogStreamName, RunLogQuery } from "./log.ts";
import { PieceFilter, type StreamStart } from "./piece_filter.ts";
import { framesBefore } from "./time_bound.ts";
import { turn } from "./turn.ts";

/** Most lines that a reader may ask for from the end: each costs 13 bytes of memory while they are looked for. */
export const MAX_TAIL_LINES = 1_000_000;

/** Where the last lines begin. */
export interface Tail {
  /** The first frame of which something is shown. */
  readonly offset: number;
  readonly starts: Readonly<Record<LogStreamName, StreamStart>>;
}

/**
 * Finds the last lines of what a query shows: one pass over the journal up to `size`. A line begins with its stream's first
 * byte or behind a newline; the last one may lack its own. A stream without a line among the last ones begins at the end.
 *
 * @returns undefined if there are fewer lines than asked for: all is to be shown, with what is missing at the start
 * @throws {EngineError} kind "invalid" if so many lines can't be asked for
 */
export async function findTail(
  reader: JournalReader,
  size: number,
  lines: number,
  query: RunLogQuery,
): Promise<Tail | undefined> {
  checkLines(lines, query);
  const filter = new PieceFilter(query);
  const cursor = new JournalCursor(reader, JOURNAL_HEADER_SIZE);
  const finder = new LineFinder(lines);
  let end = cursor.offset;
  while (end < size && !query.signal.aborted) {
    const step = await cursor.next();
    if (step.kind === "end" || step.kind === "partial" || step.kind === "damaged") break;
    if (step.kind === "frames") {
      const frames = framesBefore(step.frames, query.untilNs);
      for (const { offset, stream, data } of filter.passed({ ...step, frames }, end, end)) {
        finder.add(stream, offset, data);
      }
      if (frames.length < step.frames.length) {
        end = step.frames[frames.length]!.offset;
        break;
      }
      // So that who shows the tail meets the end too.
      if (step.last) {
        end = step.frames.at(-1)!.offset;
        break;
      }
    }
    end = cursor.offset;
    await turn();
  }
  return finder.tail(end);
}

function checkLines(lines: number, { offset = 0 }: RunLogQuery): void {
  if (!Number.isSafeInteger(lines) || lines < 0 || lines > MAX_TAIL_LINES) {
    const wanted = `it must be a whole number from 0 to ${MAX_TAIL_LINES}`;
    throw new EngineError("invalid", `Cannot show the last ${lines} lines: ${wanted}`);
  }
  if (offset !== 0) {
    const wanted = "the number of lines must be absent or the offset 0";
    throw new EngineError("invalid", `Cannot show the last ${lines} lines from offset '${offset}': ${wanted}`);
  }
}

const NEWLINE = 10;

class LineFinder {
  readonly #ring: LineRing;
  readonly #atLineStart = { stdout: true, stderr: true };

  constructor(lines: number) {
    this.#ring = new LineRing(lines);
  }

  add(stream: LogStreamName, offset: number, data: Uint8Array): void {
    if (data.length === 0) return;
    if (this.#atLineStart[stream]) this.#ring.push({ stream, offset, skip: 0 });
    let newline = data.indexOf(NEWLINE);
    while (newline >= 0 && newline + 1 < data.length) {
      this.#ring.push({ stream, offset, skip: newline + 1 });
      newline = data.indexOf(NEWLINE, newline + 1);
    }
    this.#atLineStart[stream] = newline >= 0;
  }

  /** @param end where streams begin of which no line is shown */
  tail(end: number): Tail | undefined {
    if (!this.#ring.full) return undefined;
    const none = { offset: end, skip: 0 };
    const stdout = this.#ring.oldest("stdout") ?? none;
    const stderr = this.#ring.oldest("stderr") ?? none;
    return { offset: Math.min(stdout.offset, stderr.offset), starts: { stdout, stderr } };
  }
}
