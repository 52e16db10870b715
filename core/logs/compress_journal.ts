import { EngineError } from "../errors.ts";
import {
  BLOCK_BYTES,
  checksumOf,
  compressBlock,
  encodeIndex,
  encodeTrailer,
  type IndexEntry,
} from "./compressed_format.ts";
import { REMOVED_FRAME_OFFSET, REMOVED_FRAME_SIZE } from "./frame.ts";
import { openJournal } from "./journal_file.ts";
import { JOURNAL_HEADER_SIZE } from "./journal_header.ts";
import type { JournalReader } from "./journal_reader.ts";
import { readRemovedFrame } from "./removed_frame.ts";
import { turn } from "./turn.ts";
import { xxh32 } from "./xxh32.ts";

/**
 * Writes the compressed form of an ended run's journal to a file and makes it durable. The journal stays as it is.
 *
 * @param target must not exist; is removed again unless all went well
 * @returns false if it was given up: the disk is full, the result would take no fewer than `maxBytes`, it is none or gone,
 * or the signal came
 */
export async function compressJournal(
  path: string,
  target: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<boolean> {
  let done = false;
  try {
    using reader = await openJournal(path);
    using file = await Deno.open(target, { write: true, createNew: true, mode: 0o600 });
    done = await writeAll(reader, new Output(file), maxBytes, signal);
    if (done) await file.syncData();
  } catch (error) {
    done = false;
    if (!isDiskFull(error) && !(error instanceof EngineError)) throw error;
  } finally {
    if (!done) await removeIfThere(target);
  }
  return done;
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** A file that is written from its beginning to its end. */
class Output {
  readonly #file: Deno.FsFile;
  size = 0;

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) done += await this.#file.write(bytes.subarray(done));
    this.size += bytes.length;
  }
}

async function writeAll(
  reader: JournalReader,
  output: Output,
  maxBytes: number,
  signal: AbortSignal,
): Promise<boolean> {
  const journalSize = reader.size;
  const hole = await holeOf(reader);
  const entries: IndexEntry[] = [];
  await output.write(await reader.readAt(0, JOURNAL_HEADER_SIZE));
  for (let number = 0; number * BLOCK_BYTES < journalSize; number++) {
    if (number > hole.first && number < hole.last) number = hole.last;
    if (signal.aborted || output.size >= maxBytes) return false;
    const block = await reader.readAt(number * BLOCK_BYTES, BLOCK_BYTES);
    if (isZero(block)) continue;
    const bytes = compressBlock(block);
    entries.push({ number, place: output.size, bytes: bytes.length, checksum: checksumOf(bytes, number) });
    await output.write(bytes);
    await turn();
  }
  const index = encodeIndex(entries);
  const trailer = { journalSize, indexPlace: output.size, blocks: entries.length, indexChecksum: xxh32(index) };
  await output.write(index);
  await output.write(encodeTrailer(trailer));
  return output.size < maxBytes && !signal.aborted;
}

/** Blocks between these two hold nothing: a run may have written a thousand times what was kept of it. */
async function holeOf(reader: JournalReader): Promise<{ readonly first: number; readonly last: number }> {
  const removed = await readRemovedFrame(reader);
  if (removed === undefined) return { first: 0, last: 0 };
  const start = REMOVED_FRAME_OFFSET + REMOVED_FRAME_SIZE;
  return { first: Math.floor(start / BLOCK_BYTES), last: Math.floor(removed.nextOffset / BLOCK_BYTES) };
}

function isZero(block: Uint8Array<ArrayBuffer>): boolean {
  return block.every((byte) => byte === 0);
}
