import { type Frame, FRAME_HEADER_SIZE, FrameType, headerProblem, isLastFrame, MAX_PAYLOAD } from "./frame.ts";
import type { JournalReader } from "./journal_reader.ts";
import { JOURNAL_HEADER_SIZE } from "./journal_header.ts";
import type { LogStreamName } from "./log.ts";
import { findFrame, parseFrames } from "./parse_frames.ts";
import { readRemovedFrame, type RemovedFrame } from "./removed_frame.ts";
import { turn } from "./turn.ts";

/** What is read at once: four of the longest frames, so that a full chunk always begins with a whole one. */
export const CHUNK_BYTES = 4 * (FRAME_HEADER_SIZE + MAX_PAYLOAD);

/** Bytes of output that can't be read; `stream` is absent where even that is unknown. */
export interface Loss {
  readonly stream?: LogStreamName;
  readonly bytes: number;
}

/** What stands at a cursor. Of these, only `frames`, `skipped` and `removed` move it. */
export type CursorStep =
  /** At least one frame, at most a chunk of them; `last`: an exit or start-failed frame is the last of them. */
  | { readonly kind: "frames"; readonly frames: readonly Frame[]; readonly last: boolean }
  /** A damaged place; the cursor stands at the next whole frame. */
  | { readonly kind: "skipped"; readonly loss: Loss }
  /** Frames that init removed to keep to the cap; the cursor stands at the first one that is kept. */
  | { readonly kind: "removed"; readonly losses: readonly Loss[]; readonly frame: RemovedFrame }
  /** The end of the file. */
  | { readonly kind: "end" }
  /** The start of a frame: being written, or torn. `loss`: what is missing if it is torn, absent if even that is torn. */
  | { readonly kind: "partial"; readonly loss?: Loss }
  /** Bytes that are no frame, and no frame follows them. */
  | { readonly kind: "damaged"; readonly loss: Loss };

/**
 * Goes through a journal frame by frame, over damaged places too. Its start may be removed meanwhile: what was read before
 * stays right, as every frame is checked; and what can't be read counts as damaged only if the removed frame, looked at
 * AFTERWARDS, does not reach beyond it: it is written before its hole is made.
 */
export class JournalCursor {
  readonly #reader: JournalReader;
  #offset: number;
  /** Bytes of output before the offset, from the journal's beginning on; undefined if they are not known. */
  #passed: { stdout: number; stderr: number } | undefined;

  /** @param offset a frame's place, or the end of the file */
  constructor(reader: JournalReader, offset: number) {
    this.#reader = reader;
    this.#offset = offset;
    if (offset === JOURNAL_HEADER_SIZE) this.#passed = { stdout: 0, stderr: 0 };
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
    if (lastFrame?.type === "removed") return this.#jump(lastFrame);
    if (lastFrame !== undefined) {
      this.#offset += consumed;
      for (const frame of frames) this.#count(frame);
      return { kind: "frames", frames, last: isLastFrame(lastFrame) };
    }
    const claim = outputClaim(chunk);
    if (problem !== "partial") return await this.#skipDamage(claim);
    const removed = await this.#removedHere();
    if (removed) return this.#jump(removed);
    return claim ? { kind: "partial", loss: claim } : { kind: "partial" };
  }

  #count(frame: Frame): void {
    if (this.#passed === undefined) return;
    if (frame.type === "output") this.#passed[frame.stream] += frame.data.length;
    else if (frame.type === "gap") this.#passed[frame.stream] += frame.missingBytes;
  }

  /** The removed frame, if the offset lies in what it says is gone. */
  async #removedHere(): Promise<RemovedFrame | undefined> {
    const frame = await readRemovedFrame(this.#reader);
    return frame !== undefined && frame.nextOffset > this.#offset ? frame : undefined;
  }

  #jump(frame: RemovedFrame): CursorStep {
    const [from, passed] = [this.#offset, this.#passed];
    const total = { stdout: frame.stdoutBytes, stderr: frame.stderrBytes };
    this.#offset = frame.nextOffset;
    this.#passed = total;
    const losses: Loss[] = passed === undefined
      // How much of what is gone lay behind the offset is not known: at most all of these bytes.
      ? [{ bytes: frame.nextOffset - from }]
      : (["stdout", "stderr"] as const).map((stream) => ({ stream, bytes: total[stream] - passed[stream] }));
    return { kind: "removed", losses: losses.filter(({ bytes }) => bytes > 0), frame };
  }

  /** Moves to the next whole frame, if there is one. @param claim what the damaged frame's header says it holds */
  async #skipDamage(claim: Loss | undefined): Promise<CursorStep> {
    const from = this.#offset;
    for (let at = from + 1;;) {
      const chunk = await this.#reader.readAt(at, CHUNK_BYTES);
      const atEnd = chunk.length < CHUNK_BYTES;
      const found = findFrame(chunk, 0, at, atEnd);
      const removed = await this.#removedHere();
      if (removed) return this.#jump(removed);
      if (found.at >= 0) return this.#resume(at + found.at, claim);
      if (atEnd) return { kind: "damaged", loss: { bytes: this.#reader.size - from } };
      at += found.untested;
      await turn();
    }
  }

  #resume(next: number, claim: Loss | undefined): CursorStep {
    const from = this.#offset;
    this.#offset = next;
    // The header is believed only if the next frame stands where it says; else all is known is how much was skipped.
    const fits = claim?.stream !== undefined && from + FRAME_HEADER_SIZE + claim.bytes === next;
    if (!fits) this.#passed = undefined;
    else if (this.#passed && claim.stream) this.#passed[claim.stream] += claim.bytes;
    return { kind: "skipped", loss: fits ? claim : { bytes: next - from } };
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
