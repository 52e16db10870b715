import type { Frame } from "./frame.ts";
import type { CursorStep, Loss } from "./journal_cursor.ts";
import type { LogPiece, LogStreamName } from "./log.ts";

const NOTHING = new Uint8Array(0);

/** Where a stream's shown part begins: at a frame, behind so many bytes of its output. */
export interface StreamStart {
  readonly offset: number;
  readonly skip: number;
}

export interface PieceFilterOptions {
  /** Absent or empty: both. */
  readonly streams?: readonly LogStreamName[] | undefined;
  /** First time shown, and first time not shown any more; in nanoseconds since the epoch. Absent: no bound. */
  readonly sinceNs?: bigint | undefined;
  readonly untilNs?: bigint | undefined;
}

/** Makes pieces of what a cursor finds, of the streams and the time asked for. */
export class PieceFilter {
  readonly #streams: readonly LogStreamName[];
  readonly #sinceNs: bigint | undefined;
  readonly #untilNs: bigint | undefined;
  #starts: Readonly<Record<LogStreamName, StreamStart>> | undefined;
  #lastTimeNs = 0n;
  /** Losses that are shown unless the next frame turns out to be too old. */
  readonly #pending: LogPiece[] = [];

  constructor(options: PieceFilterOptions = {}) {
    const { streams = [], sinceNs, untilNs } = options;
    this.#streams = streams.length > 0 ? streams : ["stdout", "stderr"];
    this.#sinceNs = sinceNs;
    this.#untilNs = untilNs;
  }

  /** Shows nothing of a stream before its start. */
  startAt(starts: Readonly<Record<LogStreamName, StreamStart>>): void {
    this.#starts = starts;
  }

  /** What is shown of a step that moved a cursor from `offset` on to `end`: output and gaps, in order. */
  passed(
    step: Extract<CursorStep, { kind: "frames" | "skipped" | "removed" }>,
    offset: number,
    end: number,
  ): LogPiece[] {
    if (step.kind === "frames") return [...this.settle(step.frames[0]?.timeNs), ...this.#pieces(step.frames)];
    if (step.kind === "skipped") {
      this.#pending.push(...this.#loss(step.loss, offset, end, this.#lastTimeNs));
      return this.#sinceNs === undefined ? this.settle() : [];
    }
    const { timeNs, startedNs } = step.frame;
    const pieces = this.settle(timeNs);
    this.#lastTimeNs = timeNs;
    if (this.#sinceNs !== undefined && timeNs < this.#sinceNs) return pieces;
    return [...pieces, ...step.losses.flatMap((loss) => this.#loss(loss, offset, end, startedNs))];
  }

  /**
   * What was lost at places whose time only the next frame tells, which is a bound of it. @param nextNs absent: none comes
   */
  settle(nextNs?: bigint): LogPiece[] {
    const pieces = this.#pending.splice(0);
    return nextNs !== undefined && this.#sinceNs !== undefined && nextNs < this.#sinceNs ? [] : pieces;
  }

  /** What is shown at the journal's end, where nothing will come any more. */
  atEnd(loss: Loss | undefined, offset: number, end: number): LogPiece[] {
    return [...this.settle(), ...(loss === undefined ? [] : this.#loss(loss, offset, end, this.#lastTimeNs))];
  }

  #pieces(frames: readonly Frame[]): LogPiece[] {
    const pieces: LogPiece[] = [];
    for (const frame of frames) {
      if (frame.type !== "output" && frame.type !== "gap") continue;
      const { offset, stream, timeNs } = frame;
      if (!this.#streams.includes(stream) || !this.#inTime(timeNs)) continue;
      const start = this.#starts?.[stream];
      if (start !== undefined && offset < start.offset) continue;
      if (frame.type === "gap") {
        pieces.push({ offset, stream, timeNs, data: NOTHING, missingBytes: frame.missingBytes });
        continue;
      }
      const data = start?.offset === offset ? frame.data.subarray(start.skip) : frame.data;
      if (data.length > 0) pieces.push({ offset, stream, timeNs, data, missingBytes: 0 });
    }
    this.#lastTimeNs = frames.at(-1)?.timeNs ?? this.#lastTimeNs;
    return pieces;
  }

  /**
   * A loss, with the time of the frame before it: its own is lost too. One of an unknown stream is told to everybody.
   *
   * @param beganNs the earliest that the first of what is missing may have been written
   */
  #loss(loss: Loss, offset: number, end: number, beganNs: bigint): LogPiece[] {
    const stream = loss.stream ?? this.#streams[0]!;
    if (loss.bytes === 0 || !this.#streams.includes(stream)) return [];
    if (this.#untilNs !== undefined && beganNs >= this.#untilNs) return [];
    const streams = loss.stream === undefined ? this.#streams : [loss.stream];
    if (this.#starts && streams.every((name) => end <= this.#starts![name].offset)) return [];
    return [{ offset, stream, timeNs: this.#lastTimeNs, data: NOTHING, missingBytes: loss.bytes }];
  }

  #inTime(timeNs: bigint): boolean {
    return (this.#sinceNs === undefined || timeNs >= this.#sinceNs) &&
      (this.#untilNs === undefined || timeNs < this.#untilNs);
  }
}
