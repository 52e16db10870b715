import { FRAME_HEADER_SIZE, type FrameHead, MAX_PAYLOAD, REMOVED_FRAME_OFFSET, type RemovedBody } from "./frame.ts";
import type { JournalReader } from "./journal_reader.ts";
import { parseFrames } from "./parse_frames.ts";
import { turn } from "./turn.ts";

export type RemovedFrame = FrameHead & RemovedBody;

/** Looks at a first frame whose checksum fails: init writes over it in one go of some microseconds. */
const TRIES = 20;

/** What a journal says was removed from its start; undefined if nothing, or if its first frame is damaged. */
export async function readRemovedFrame(reader: JournalReader): Promise<RemovedFrame | undefined> {
  for (let i = 0; i < TRIES; i++) {
    if (i > 0) await turn();
    const bytes = await reader.readAt(REMOVED_FRAME_OFFSET, FRAME_HEADER_SIZE + MAX_PAYLOAD);
    const { frames: [first], problem } = parseFrames(bytes, REMOVED_FRAME_OFFSET);
    if (first !== undefined) return first.type === "removed" ? first : undefined;
    // Too short a file to have been trimmed.
    if (problem === undefined || problem === "partial") return undefined;
  }
  return undefined;
}
