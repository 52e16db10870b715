import { EngineError } from "../errors.ts";
import { type CursorStep, JournalCursor } from "./journal_cursor.ts";
import { openJournal } from "./journal_file.ts";
import type { JournalReader } from "./journal_reader.ts";
import { JOURNAL_HEADER_SIZE } from "./journal_header.ts";
import type { JournalBatch, LogPiece, RunLogQuery, WriterEnd } from "./log.ts";
import { PieceFilter } from "./piece_filter.ts";
import { findTail } from "./tail.ts";
import { alarm, framesBefore, isPast } from "./time_bound.ts";
import { Wakeup } from "./wakeup.ts";

/** Tells of changes of a file; inotify in production. */
export interface FileWatcher {
  /** Calls back after each write to the file that begins after this returns; several writes may share one call. */
  watch(path: string, onChange: () => void): Disposable;
}

export interface StreamJournalOptions extends RunLogQuery {
  readonly path: string;
  readonly watcher: FileWatcher;
  readonly ended: WriterEnd;
}

/**
 * Output from an offset on. At most one chunk is held; the next one is read when it is asked for, so a slow reader costs
 * nothing. Without `follow` it ends where the journal ended when it began; with `untilNs`, at the first frame of that time or
 * later, and then its last batch does not say that the journal ends.
 *
 * What can't be read is told by a piece with `missingBytes`: a gap frame as it was written; a damaged place, with the length
 * of the one frame it was if the next frame stands where that says, else with the number of the journal's bytes skipped, as
 * a piece of the first stream asked for; a dead writer's torn last frame, with the length its header says. A torn header says
 * nothing, so it is dropped. What was removed to keep to the cap is told as a piece for each stream, exactly if this stream
 * began at 0 or at a place where that is known, else as the number of the journal's bytes, like a damaged place.
 * While the writer lives, a last frame that is not whole or not valid counts as being written.
 *
 * @throws {EngineError} kind "not_found" without a journal, "precondition" if it is no journal, "invalid" for an offset that
 * is beyond its end or between two frames, or a number of lines that can't be asked for
 */
export async function* streamJournal(options: StreamJournalOptions): AsyncGenerator<JournalBatch> {
  const { path, follow = false, signal, ended, untilNs } = options;
  if (signal.aborted) return;
  using reader = await openJournal(path);
  using wakeup = new Wakeup(signal);
  using subscriptions = new DisposableStack();
  const until = follow ? Infinity : reader.size;
  const { cursor, filter } = await begin(reader, options);
  let toCheck = cursor.offset !== JOURNAL_HEADER_SIZE;
  let watching = false;
  let told = options.offset ?? 0;
  while (!signal.aborted) {
    wakeup.clear();
    // Asked before the look: what a writer that was gone by now has written is all there, and a look that finds nothing is final.
    const final = ended.value;
    const late = isPast(untilNs);
    if (cursor.offset >= until && !final) break;
    const at = cursor.offset;
    const step = await cursor.next();
    if (toCheck) await checkBoundary(reader, at, step, path);
    toCheck = false;
    if (step.kind === "frames" || step.kind === "skipped" || step.kind === "removed") {
      const { pieces, nextOffset, cut } = show(step, filter, at, cursor.offset, untilNs);
      const end = step.kind === "frames" && step.last && !cut;
      if (pieces.length > 0 || end || cut) yield { pieces, nextOffset: told = nextOffset, end };
      if (end || cut) return;
    } else if (final) {
      const loss = "loss" in step ? step.loss : undefined;
      yield { pieces: filter.atEnd(loss, at, reader.size), nextOffset: reader.size, end: true };
      return;
    } else if (!follow || late) {
      break;
    } else if (watching) {
      using _timer = alarm(untilNs, wakeup.notify);
      await wakeup.wait();
    } else if (!ended.value) {
      // Another look follows before the first wait, for what was written before the watch began. The file may have lost its
      // name by now, but only if the writer is gone.
      subscriptions.use(options.watcher.watch(path, wakeup.notify));
      subscriptions.use(ended.onEnd(wakeup.notify));
      watching = true;
    }
  }
  // Frames of streams that were not asked for count as delivered: a resumed reader need not pass them again.
  if (!signal.aborted && told !== cursor.offset) {
    yield { pieces: filter.settle(), nextOffset: cursor.offset, end: false };
  }
}

async function begin(reader: JournalReader, options: StreamJournalOptions) {
  const { tailLines, offset = 0, path } = options;
  const filter = new PieceFilter(options);
  const tail = tailLines === undefined ? undefined : await findTail(reader, reader.size, tailLines, options);
  if (tail) filter.startAt(tail.starts);
  const cursor = new JournalCursor(reader, tail?.offset ?? firstFrame(reader, offset, path));
  return { cursor, filter };
}

/** What is shown of a step, and where to go on; `cut`: it reached the time that ends the query. */
function show(
  step: Extract<CursorStep, { kind: "frames" | "skipped" | "removed" }>,
  filter: PieceFilter,
  from: number,
  to: number,
  untilNs: bigint | undefined,
): { readonly pieces: LogPiece[]; readonly nextOffset: number; readonly cut: boolean } {
  const frames = step.kind === "frames" ? framesBefore(step.frames, untilNs) : [];
  if (step.kind !== "frames" || frames.length === step.frames.length) {
    return { pieces: filter.passed(step, from, to), nextOffset: to, cut: false };
  }
  const pieces = filter.passed({ ...step, frames }, from, to);
  return { pieces, nextOffset: step.frames[frames.length]!.offset, cut: true };
}

function firstFrame(reader: JournalReader, offset: number, path: string): number {
  if (offset === 0) return JOURNAL_HEADER_SIZE;
  if (Number.isSafeInteger(offset) && offset >= JOURNAL_HEADER_SIZE && offset <= reader.size) return offset;
  throw offsetError(offset, path);
}

/**
 * An offset where no frame can be read is either wrong, or right and damaged: only the way from the start tells. Of one in
 * the removed part nothing tells any more, so it passes.
 */
async function checkBoundary(reader: JournalReader, offset: number, step: CursorStep, path: string): Promise<void> {
  if (step.kind === "frames" || step.kind === "end" || step.kind === "removed") return;
  const cursor = new JournalCursor(reader, JOURNAL_HEADER_SIZE);
  while (cursor.offset < offset) {
    const before = cursor.offset;
    const found = await cursor.next();
    if (found.kind === "frames" && found.frames.some((frame) => frame.offset === offset)) return;
    if (found.kind === "removed" && cursor.offset > offset) return;
    if (cursor.offset === before) break;
  }
  if (cursor.offset !== offset) throw offsetError(offset, path);
}

function offsetError(offset: number, path: string): EngineError {
  const id = path.slice(path.lastIndexOf("/") + 1).replace(/\.journal$/, "");
  const wanted = "it must be 0 or a next offset received before";
  return new EngineError("invalid", `Cannot read the log of job ${id} from offset '${offset}': ${wanted}`);
}
