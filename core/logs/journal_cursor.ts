import { type Frame, FRAME_HEADER_SIZE, FrameType, headerProblem, isLastFrame, MAX_PAYLOAD } from "./frame.ts";
import type { JournalReader } from "./journal_file.ts";
import type { LogStreamName } from "./log.ts";
import { findFrame, parseFrames } from "./parse_frames.ts";

/** What is read at once: four of the longest frames, so that a full chunk always begins with a whole one. */
export const CHUNK_BYTES = 4 * (FRAME_HEADER_SIZE + MAX_PAYLOAD);

/** Bytes of output that can't be read; `stream` is absent where even that is unknown. */
export interface Loss {
  readonly stream?: LogStreamName;
  readonly bytes: number;
}

/** What stands at a cursor. Of these, only `frames` and `skipped` move it. */
export type CursorStep =
  /** At least one frame, at most a chunk of them; `last`: an exit or start-failed frame is the last of them. */
  | { readonly kind: "frames"; readonly frames: readonly Frame[]; readonly last: boolean }
  /** A damaged place; the cursor stands at the next whole frame. */
  | { readonly kind: "skipped"; readonly loss: Loss }
  /** The end of the file. */
  | { readonly kind: "end" }
  /** The start of a frame: being written, or torn. `loss`: what is missing if it is torn, absent if even that is torn. */
  | { readonly kind: "partial"; readonly loss?: Loss }
  /** Bytes that are no frame, and no frame follows them. */
  | { readonly kind: "damaged"; readonly loss: Loss };

/** Goes through a journal frame by frame, over damaged places too. */
export class JournalCursor {
  readonly #reader: JournalReader;
  #offset: number;

  /** @param offset a frame's place, or the end of the file */
  constructor(reader: JournalReader, offset: number) {
    this.#reader = reader;
    this.#offset = offset;
  }

  /** Where the next frame is or will be. */
  get offset(): number {
    return this.#offset;
  }

  /** Looks at the bytes from the offset on; reads one chunk. */
  async next(): Promise<CursorStep> {
    const chunk = await this.#reader.readAt(this.#offset, CHUNK_BYTES);
    if (chunk.length === 0) return { kind: "end" };
    const { frames, consumed, problem } = parseFrames(chunk, this.#offset);
    const lastFrame = frames.at(-1);
    if (lastFrame !== undefined) {
      this.#offset += consumed;
      return { kind: "frames", frames, last: isLastFrame(lastFrame) };
    }
    const claim = outputClaim(chunk);
    if (problem === "partial") return claim ? { kind: "partial", loss: claim } : { kind: "partial" };
    return await this.#skipDamage(claim);
  }

  /** Moves to the next whole frame, if there is one. @param claim what the damaged frame's header says it holds */
  async #skipDamage(claim: Loss | undefined): Promise<CursorStep> {
    const from = this.#offset;
    const next = await this.#find(from + 1);
    if (next === undefined) return { kind: "damaged", loss: { bytes: this.#reader.size - from } };
    this.#offset = next;
    // The header is believed only if the next frame stands where it says; else all is known is how much was skipped.
    const fits = claim !== undefined && from + FRAME_HEADER_SIZE + claim.bytes === next;
    return { kind: "skipped", loss: fits ? claim : { bytes: next - from } };
  }

  async #find(from: number): Promise<number | undefined> {
    for (let offset = from;;) {
      const chunk = await this.#reader.readAt(offset, CHUNK_BYTES);
      const atEnd = chunk.length < CHUNK_BYTES;
      const { at, untested } = findFrame(chunk, 0, offset, atEnd);
      if (at >= 0) return offset + at;
      if (atEnd) return undefined;
      offset += untested;
    }
  }
}

/** The output that the first header of these bytes speaks of, if it is whole and an output's. */
function outputClaim(bytes: Uint8Array): Loss | undefined {
  if (bytes.length < FRAME_HEADER_SIZE) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = view.getUint16(16, true);
  if (headerProblem(view, 0) !== null || type > FrameType.stderr) return undefined;
  return { stream: type === FrameType.stdout ? "stdout" : "stderr", bytes: view.getUint32(4, true) };
}
