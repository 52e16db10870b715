import type { LogStreamName } from "./log.ts";
import type { StreamStart } from "./piece_filter.ts";

export interface LineStart extends StreamStart {
  readonly stream: LogStreamName;
}

const STREAMS = ["stdout", "stderr"] as const;

/** The last so many line starts, in arrays of numbers: a million objects would be no small matter. */
export class LineRing {
  readonly #offsets: Float64Array;
  readonly #skips: Uint32Array;
  readonly #streams: Uint8Array;
  readonly #size: number;
  #pushed = 0;

  /** @param size lines kept */
  constructor(size: number) {
    this.#size = size;
    this.#offsets = new Float64Array(size);
    this.#skips = new Uint32Array(size);
    this.#streams = new Uint8Array(size);
  }

  /** As many lines were pushed as are kept, or more. */
  get full(): boolean {
    return this.#pushed >= this.#size;
  }

  push({ offset, skip, stream }: LineStart): void {
    const at = this.#pushed++ % this.#size;
    if (this.#size === 0) return;
    this.#offsets[at] = offset;
    this.#skips[at] = skip;
    this.#streams[at] = STREAMS.indexOf(stream);
  }

  /** The first start kept of a stream. */
  oldest(stream: LogStreamName): StreamStart | undefined {
    const wanted = STREAMS.indexOf(stream);
    const count = Math.min(this.#pushed, this.#size);
    for (let i = this.#pushed - count; i < this.#pushed; i++) {
      const at = i % this.#size;
      if (this.#streams[at] === wanted) return { offset: this.#offsets[at]!, skip: this.#skips[at]! };
    }
    return undefined;
  }
}
