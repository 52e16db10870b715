import type { Frame } from "./frame.ts";
import type { Loss } from "./journal_cursor.ts";
import type { LogPiece, LogStreamName } from "./log.ts";

const NOTHING = new Uint8Array(0);

/** Makes pieces of what a cursor finds, of the streams asked for. */
export class PieceFilter {
  readonly #streams: readonly LogStreamName[];
  #lastTimeNs = 0n;

  /** @param streams empty: both */
  constructor(streams: readonly LogStreamName[] = []) {
    this.#streams = streams.length > 0 ? streams : ["stdout", "stderr"];
  }

  /** Output and gaps, in order. */
  pieces(frames: readonly Frame[]): LogPiece[] {
    const pieces: LogPiece[] = [];
    for (const frame of frames) {
      if (frame.type !== "output" && frame.type !== "gap") continue;
      if (!this.#streams.includes(frame.stream)) continue;
      const { offset, stream, timeNs } = frame;
      if (frame.type === "gap") {
        pieces.push({ offset, stream, timeNs, data: NOTHING, missingBytes: frame.missingBytes });
      } else if (frame.data.length > 0) pieces.push({ offset, stream, timeNs, data: frame.data, missingBytes: 0 });
    }
    this.#lastTimeNs = frames.at(-1)?.timeNs ?? this.#lastTimeNs;
    return pieces;
  }

  /** A loss, with the time of the frame before it: its own is lost too. One of an unknown stream is told to everybody. */
  loss(loss: Loss, offset: number): LogPiece[] {
    const stream = loss.stream ?? this.#streams[0]!;
    if (loss.bytes === 0 || !this.#streams.includes(stream)) return [];
    return [{ offset, stream, timeNs: this.#lastTimeNs, data: NOTHING, missingBytes: loss.bytes }];
  }
}
