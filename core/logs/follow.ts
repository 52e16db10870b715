import { EngineError } from "../errors.ts";
import { type CursorStep, JournalCursor } from "./journal_cursor.ts";
import { type JournalReader, openJournal } from "./journal_file.ts";
import { JOURNAL_HEADER_SIZE } from "./journal_header.ts";
import type { LogPiece, LogStreamName } from "./log.ts";
import { PieceFilter } from "./piece_filter.ts";
import { Wakeup } from "./wakeup.ts";

/** Tells of changes of a file; inotify in production. */
export interface FileWatcher {
  /** Calls back after each write to the file that begins after this returns; several writes may share one call. */
  watch(path: string, onChange: () => void): Disposable;
}

/** Whether the journal's writer is gone, so that nothing will be added any more. */
export interface WriterEnd {
  /** Must be true only if all that was ever written can be read. Never false again. */
  readonly value: boolean;
  /** Calls back when `value` has become true; not if it is true already. */
  onEnd(listener: () => void): Disposable;
}

export interface StreamJournalOptions {
  readonly path: string;
  /** 0, or a `nextOffset` handed out before. @default {0} */
  readonly offset?: number;
  /** Wait for more until the journal's end. @default {false} */
  readonly follow?: boolean;
  /** Absent or empty: both. */
  readonly streams?: readonly LogStreamName[];
  /** Ends the stream at once, without an error, also while it waits. */
  readonly signal: AbortSignal;
  readonly watcher: FileWatcher;
  readonly ended: WriterEnd;
}

/** Pieces in the order in which they were written, of one chunk of the journal at most (256 KiB). */
export interface JournalBatch {
  readonly pieces: readonly LogPiece[];
  /** Offset to go on from after these pieces. */
  readonly nextOffset: number;
  /** Set in the last batch if nothing more will come: an exit or start-failed frame, or the end of a dead writer's file. */
  readonly end: boolean;
}

/**
 * Output from an offset on. At most one chunk is held; the next one is read when it is asked for, so a slow reader costs
 * nothing. Without `follow` it ends where the journal ended when it began.
 *
 * What can't be read is told by a piece with `missingBytes`: a gap frame as it was written; a damaged place, with the length
 * of the one frame it was if the next frame stands where that says, else with the number of the journal's bytes skipped, as
 * a piece of the first stream asked for; a dead writer's torn last frame, with the length its header says. A torn header says
 * nothing, so it is dropped. While the writer lives, a last frame that is not whole or not valid counts as being written.
 *
 * @throws {EngineError} kind "not_found" without a journal, "precondition" if it is no journal, "invalid" for an offset that
 * is beyond its end or between two frames
 */
export async function* streamJournal(options: StreamJournalOptions): AsyncGenerator<JournalBatch> {
  const { path, follow = false, signal, ended } = options;
  if (signal.aborted) return;
  using reader = await openJournal(path);
  using wakeup = new Wakeup(signal);
  using subscriptions = new DisposableStack();
  const filter = new PieceFilter(options.streams);
  const cursor = new JournalCursor(reader, firstFrame(reader, options.offset ?? 0, path));
  const until = follow ? Infinity : reader.size;
  let toCheck = cursor.offset !== JOURNAL_HEADER_SIZE;
  let watching = false;
  let told = options.offset ?? 0;
  while (!signal.aborted) {
    wakeup.clear();
    // Asked before the look: what a writer that was gone by now has written is all there, and a look that finds nothing is final.
    const final = ended.value;
    if (cursor.offset >= until && !final) break;
    const at = cursor.offset;
    const step = await cursor.next();
    if (toCheck) await checkBoundary(reader, at, step, path);
    toCheck = false;
    if (step.kind === "frames" || step.kind === "skipped") {
      const pieces = step.kind === "frames" ? filter.pieces(step.frames) : filter.loss(step.loss, at);
      const end = step.kind === "frames" && step.last;
      if (pieces.length > 0 || end) yield { pieces, nextOffset: told = cursor.offset, end };
      if (end) return;
    } else if (final) {
      const pieces = "loss" in step && step.loss ? filter.loss(step.loss, at) : [];
      yield { pieces, nextOffset: reader.size, end: true };
      return;
    } else if (!follow) {
      break;
    } else if (watching) {
      await wakeup.wait();
    } else {
      // Another look follows before the first wait, for what was written before the watch began.
      subscriptions.use(options.watcher.watch(path, wakeup.notify));
      subscriptions.use(ended.onEnd(wakeup.notify));
      watching = true;
    }
  }
  // Frames of streams that were not asked for count as delivered: a resumed reader need not pass them again.
  if (!signal.aborted && told !== cursor.offset) yield { pieces: [], nextOffset: cursor.offset, end: false };
}

function firstFrame(reader: JournalReader, offset: number, path: string): number {
  if (offset === 0) return JOURNAL_HEADER_SIZE;
  if (Number.isSafeInteger(offset) && offset >= JOURNAL_HEADER_SIZE && offset <= reader.size) return offset;
  throw offsetError(offset, path);
}

/** An offset where no frame can be read is either wrong, or right and damaged: only the way from the start tells. */
async function checkBoundary(reader: JournalReader, offset: number, step: CursorStep, path: string): Promise<void> {
  if (step.kind === "frames" || step.kind === "end") return;
  const cursor = new JournalCursor(reader, JOURNAL_HEADER_SIZE);
  while (cursor.offset < offset) {
    const before = cursor.offset;
    const found = await cursor.next();
    if (found.kind === "frames" && found.frames.some((frame) => frame.offset === offset)) return;
    if (cursor.offset === before) break;
  }
  if (cursor.offset !== offset) throw offsetError(offset, path);
}

function offsetError(offset: number, path: string): EngineError {
  const id = path.slice(path.lastIndexOf("/") + 1).replace(/\.journal$/, "");
  const wanted = "it must be 0 or a next offset received before";
  return new EngineError("invalid", `Cannot read the log of job ${id} from offset '${offset}': ${wanted}`);
}
