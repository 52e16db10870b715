import type { ExitStatus } from "../jobs/job.ts";
import { EXIT_FRAME_SIZE, type Frame, isLastFrame, type JournalUsage, START_FAILED_FRAME_SIZE } from "./frame.ts";
import { JournalCursor } from "./journal_cursor.ts";
import { openJournal } from "./journal_file.ts";
import type { JournalReader } from "./journal_reader.ts";
import { JOURNAL_HEADER_SIZE } from "./journal_header.ts";
import { parseFrames } from "./parse_frames.ts";
import { decodeWaitStatus } from "./wait_status.ts";

/** How a job ended, as its journal tells. Times are nanoseconds since the epoch. */
export type JournalOutcome =
  | {
    readonly kind: "exited";
    readonly exit: ExitStatus;
    /** As wait4 gave it. */
    readonly waitStatus: number;
    /** The timeout had fired before the end. */
    readonly timedOut: boolean;
    /** A signal from the server reached the program while it lived. */
    readonly signalPassedOn: boolean;
    readonly usage: JournalUsage;
    readonly stdoutBytes: number;
    readonly stderrBytes: number;
    /** When the program was executed; absent if the journal does not tell. */
    readonly startedNs?: bigint;
    readonly timeNs: bigint;
  }
  | { readonly kind: "start_failed"; readonly errno: number; readonly step: number; readonly timeNs: bigint }
  | {
    /** It has no end: the writer lives, or died without writing one. */
    readonly kind: "open";
    readonly started: boolean;
    readonly startedNs?: bigint;
    /** The timeout has fired. */
    readonly timeout: boolean;
    /** Where the last whole frame ends. */
    readonly validEnd: number;
    /** Bytes follow that are no whole frame. */
    readonly torn: boolean;
  };

export interface ReadOutcomeOptions {
  /**
   * Look at the file's last bytes first, which takes the same short time for any size. Set it only if the writer is known to
   * have ended in order: the last bytes of a journal without an end may be output made up to look like one.
   * @default {false}
   */
  readonly trustTail?: boolean;
}

/**
 * How the job of a journal ended. Reads the whole file, at about the speed of the disk, unless `trustTail` is set.
 *
 * @throws {EngineError} kind "not_found" without a journal, "precondition" if it is no journal
 */
export async function readOutcome(path: string, options: ReadOutcomeOptions = {}): Promise<JournalOutcome> {
  using reader = await openJournal(path);
  return (options.trustTail ? await readTail(reader) : undefined) ?? await scan(reader);
}

/** The frames that can be last have a known size each, and their checksum binds them to their offset. */
async function readTail(reader: JournalReader): Promise<JournalOutcome | undefined> {
  const end = reader.size;
  for (const size of [EXIT_FRAME_SIZE, START_FAILED_FRAME_SIZE]) {
    if (end - size < JOURNAL_HEADER_SIZE) continue;
    const frame = parseFrames(await reader.readAt(end - size, size), end - size).frames[0];
    if (frame === undefined || !isLastFrame(frame)) continue;
    const first = parseFrames(await reader.readAt(JOURNAL_HEADER_SIZE, EXIT_FRAME_SIZE), JOURNAL_HEADER_SIZE).frames[0];
    return outcomeOf(frame, first && startTime(first));
  }
  return undefined;
}

/** When the program was executed, if the frame tells. */
function startTime(frame: Frame): bigint | undefined {
  if (frame.type === "started") return frame.timeNs;
  return frame.type === "removed" && frame.startedNs > 0n ? frame.startedNs : undefined;
}

async function scan(reader: JournalReader): Promise<JournalOutcome> {
  const cursor = new JournalCursor(reader, JOURNAL_HEADER_SIZE);
  let startedNs: bigint | undefined;
  let timeout = false;
  for (;;) {
    const step = await cursor.next();
    if (step.kind === "frames") {
      for (const frame of step.frames) {
        startedNs ??= startTime(frame);
        if (frame.type === "timeout") timeout = true;
      }
      const end = outcomeOf(step.frames.at(-1)!, startedNs);
      if (end) return end;
    } else if (step.kind === "removed") {
      startedNs ??= startTime(step.frame);
      timeout ||= step.frame.timeout;
    } else if (step.kind !== "skipped") {
      const torn = step.kind !== "end";
      const start = startedNs === undefined ? {} : { startedNs };
      return { kind: "open", started: startedNs !== undefined, ...start, timeout, validEnd: cursor.offset, torn };
    }
  }
}

/** What the last frame of all says; undefined for every other frame. */
function outcomeOf(frame: Frame, startedNs: bigint | undefined): JournalOutcome | undefined {
  if (frame.type === "start_failed") {
    return { kind: "start_failed", errno: frame.errno, step: frame.step, timeNs: frame.timeNs };
  }
  if (frame.type !== "exit") return undefined;
  const { waitStatus, timedOut, signalPassedOn, usage, stdoutBytes, stderrBytes, timeNs } = frame;
  const end = { waitStatus, timedOut, signalPassedOn, usage, stdoutBytes, stderrBytes, timeNs };
  return {
    kind: "exited",
    exit: decodeWaitStatus(waitStatus),
    ...end,
    ...(startedNs === undefined ? {} : { startedNs }),
  };
}
