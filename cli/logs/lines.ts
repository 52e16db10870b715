/** Cuts output into lines, each stream's by itself, with bounded memory. */
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { type LogFrame, LogStream } from "../../proto/gen/joblet/v1/job_pb.ts";

/** Bytes of a line that are kept until it ends. */
export const MAX_LINE_BYTES = 1 << 20;
const NEWLINE = 10;

/** A line, or a piece of one that is too long to keep. */
export interface LogLine {
  readonly stream: LogStream;
  /** Of the frame in which the line began. */
  readonly time: Timestamp | undefined;
  readonly offset: bigint;
  readonly attempt: number;
  /** With the newline, if there is one. */
  readonly data: Uint8Array;
  /** Goes on the line that the piece before it in this stream began. */
  readonly continued: boolean;
}

type Begin = Omit<LogLine, "data">;

export class LineSplitter {
  readonly #pending = new Map<LogStream, PendingLine>();

  /** The lines that end in this frame. */
  *push(frame: LogFrame): Generator<LogLine> {
    const stream = frame.stream === LogStream.STDERR ? LogStream.STDERR : LogStream.STDOUT;
    const { time, offset, attempt, data } = frame;
    const pending = this.#pending.get(stream) ?? new PendingLine();
    this.#pending.set(stream, pending);
    // Neither another attempt's output nor what follows a gap goes on the line before.
    if (pending.attempt !== attempt || frame.missingBytes > 0n) yield* pending.cut();
    for (let at = 0; at < data.length;) {
      const newline = data.indexOf(NEWLINE, at);
      const lineEnd = newline < 0 ? data.length : newline + 1;
      const end = Math.min(lineEnd, at + pending.room);
      pending.add(data.subarray(at, end), { stream, time, offset, attempt, continued: false });
      if (end === newline + 1) yield pending.take(false);
      else if (pending.room === 0) yield pending.take(true);
      at = end;
    }
  }

  /** What is left when the output has ended: lines without a newline. */
  *end(): Generator<LogLine> {
    for (const pending of this.#pending.values()) if (pending.begun) yield pending.take(false);
  }
}

/** The line of one stream that has not ended yet. */
class PendingLine {
  #parts: Uint8Array[] = [];
  #size = 0;
  #begin: Begin | undefined;

  get begun(): boolean {
    return this.#begin !== undefined && this.#size > 0;
  }

  get room(): number {
    return MAX_LINE_BYTES - this.#size;
  }

  get attempt(): number | undefined {
    return this.#begin?.attempt;
  }

  add(data: Uint8Array, begin: Begin): void {
    this.#begin ??= begin;
    this.#parts.push(data);
    this.#size += data.length;
  }

  /** @param goesOn what comes next belongs to the same line */
  take(goesOn: boolean): LogLine {
    const begin = this.#begin!;
    const data = this.#parts.length === 1 ? this.#parts[0]! : concat(this.#parts, this.#size);
    this.#begin = goesOn ? { ...begin, continued: true } : undefined;
    this.#parts = [];
    this.#size = 0;
    return { ...begin, data };
  }

  /** Ends the line here, with a newline of our own, so that what comes next stands on a line of its own. */
  *cut(): Generator<LogLine> {
    if (!this.#begin) return;
    this.add(Uint8Array.of(NEWLINE), this.#begin);
    yield this.take(false);
  }
}

export function concat(parts: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
