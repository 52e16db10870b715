import {
  decodeBody,
  type Frame,
  FRAME_HEADER_SIZE,
  type FrameBody,
  FrameType,
  headerProblem,
  isLastFrame,
  REMOVED_FRAME_OFFSET,
} from "./frame.ts";
import { xxh32Range } from "./xxh32.ts";

export interface Damage {
  readonly kind: "damaged";
  /** Position in the file. */
  readonly offset: number;
  readonly reason: string;
}

/** Frames from the start of a buffer. */
export interface ParsedFrames {
  /** Their output lies in the buffer; nothing is copied. */
  readonly frames: readonly Frame[];
  /** Bytes that these frames take. */
  readonly consumed: number;
  /** Why parsing stopped before the end of the buffer; absent if it did not, or if such a frame was reached. */
  readonly problem?: "partial" | Damage;
}

/**
 * Reads all whole frames at the start of a buffer; every checksum is verified, at about the speed of memory. Bytes after
 * an exit or start-failed frame are not looked at, nor are those after a removed frame, which says where to go on.
 *
 * @param fileOffset where the buffer's first byte stands in the journal
 */
export function parseFrames(buffer: Uint8Array<ArrayBuffer>, fileOffset: number): ParsedFrames {
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  const frames: Frame[] = [];
  let at = 0;
  while (at < buffer.length) {
    const frame = frameAt(view, buffer, at, fileOffset + at);
    if (typeof frame === "string") {
      return { frames, consumed: at, problem: toProblem(frame, fileOffset + at) };
    }
    frames.push(frame);
    at += frame.size;
    if (isLastFrame(frame) || frame.type === "removed") break;
  }
  return { frames, consumed: at };
}

const PARTIAL = "partial";
const MISPLACED = "a removed frame stands only at the start";

function toProblem(text: string, offset: number): "partial" | Damage {
  return text === PARTIAL ? PARTIAL : { kind: "damaged", offset, reason: text };
}

/** The frame at a place, "partial", or the reason why there is none. */
function frameAt(view: DataView, buffer: Uint8Array<ArrayBuffer>, at: number, offset: number): Frame | string {
  if (at + FRAME_HEADER_SIZE > buffer.length) return PARTIAL;
  const wrong = headerProblem(view, at);
  if (wrong !== null) return wrong;
  if (view.getUint16(at + 16, true) === FrameType.removed && offset !== REMOVED_FRAME_OFFSET) return MISPLACED;
  const size = FRAME_HEADER_SIZE + view.getUint32(at + 4, true);
  if (at + size > buffer.length) return PARTIAL;
  if (xxh32Range(view, at + 4, at + size, offset) !== view.getUint32(at, true)) return "checksum does not fit";
  const body = decodeBody(view, at, buffer);
  if (body === null) return "stream or reason of a gap is unknown";
  return withHead(body, offset, size, view.getBigUint64(at + 8, true), view.getUint32(at + 20, true));
}

/** Output, by far the most frequent, gets a literal of one shape instead of a spread. */
function withHead(body: FrameBody, offset: number, size: number, timeNs: bigint, sequence: number): Frame {
  if (body.type === "output") {
    return { type: "output", stream: body.stream, data: body.data, offset, size, timeNs, sequence };
  }
  return { ...body, offset, size, timeNs, sequence };
}

/** Where to go on after a damaged place. */
export interface FoundFrame {
  /** Position in the buffer of the first whole and valid frame, -1 if there is none. */
  readonly at: number;
  /** With `at` -1: the first position that more bytes could turn into a frame's start. */
  readonly untested: number;
}

/**
 * Looks for a frame at or after `from`, a place that need not be a boundary.
 *
 * @param atEnd nothing follows the buffer, so that a frame that reaches beyond it is none
 */
export function findFrame(
  buffer: Uint8Array<ArrayBuffer>,
  from: number,
  fileOffset: number,
  atEnd: boolean,
): FoundFrame {
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  let at = from;
  for (; at + FRAME_HEADER_SIZE <= buffer.length; at++) {
    // The high bytes of length, type and flags, and the type: a cheap look that rules out nearly every place.
    if (buffer[at + 7] !== 0 || buffer[at + 17] !== 0 || buffer[at + 18] !== 0) continue;
    if (buffer[at + 16] === 0 || buffer[at + 16]! > FrameType.timeout) continue;
    const frame = frameAt(view, buffer, at, fileOffset + at);
    if (typeof frame !== "string") return { at, untested: at };
    if (frame === PARTIAL && !atEnd) return { at: -1, untested: at };
  }
  return { at: -1, untested: at };
}
