import type { Job } from "../jobs/job.ts";

export type LogStreamName = "stdout" | "stderr";

/** A piece of output, as the program wrote it. */
export interface LogPiece {
  /** Position of its frame in the journal. */
  readonly offset: number;
  readonly stream: LogStreamName;
  /** When it was read from the program: nanoseconds since the epoch. */
  readonly timeNs: bigint;
  /** Empty where bytes are missing. Not reused after the batch is handed out. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** 0, or how many bytes of the stream are missing here. */
  readonly missingBytes: number;
}

/** Pieces in the order in which they were written, of one chunk of the journal at most (256 KiB). */
export interface JournalBatch {
  readonly pieces: readonly LogPiece[];
  /** Offset to go on from after these pieces. */
  readonly nextOffset: number;
  /** Set in the last batch if nothing more will come: an exit or start-failed frame, or the end of a dead writer's file. */
  readonly end: boolean;
}

/** Whether a journal's writer is gone, so that nothing will be added any more. */
export interface WriterEnd {
  /** Must be true only if all that was ever written can be read. Never false again. */
  readonly value: boolean;
  /** Calls back when `value` has become true; not if it is true already. */
  onEnd(listener: () => void): Disposable;
}

/** Which part of one run's output is wanted. */
export interface RunLogQuery {
  /** 0, or a `nextOffset` handed out before. @default {0} */
  readonly offset?: number;
  /** Wait for more until the run has ended. @default {false} */
  readonly follow?: boolean;
  /** Absent or empty: both. */
  readonly streams?: readonly LogStreamName[];
  /**
   * Begin with the last so many lines of the streams asked for; the last one may lack its newline. Only with offset 0.
   * Absent: with all.
   */
  readonly tailLines?: number;
  /** Only pieces read from the program at this time or later: nanoseconds since the epoch. */
  readonly sinceNs?: bigint;
  /** Only pieces from before this time. A follower ends once all that came before it was delivered and it has passed. */
  readonly untilNs?: bigint;
  /** Ends the stream at once, without an error, also while it waits. */
  readonly signal: AbortSignal;
}

/** Pieces in the order in which they were written. */
export interface LogBatch {
  /** Their offsets are positions in the output of all attempts, see core/jobs/log_position.ts. */
  readonly pieces: readonly LogPiece[];
  /** The attempt whose output they are. */
  readonly attempt: number;
  /** Offset to go on from after these pieces. */
  readonly nextOffset: number;
  /** Set in the last batch if the job has ended and nothing more will come. */
  readonly endedJob?: Job;
}

/** Which part of a job's output is wanted. */
export interface LogQuery extends Omit<RunLogQuery, "signal"> {
  /** Only the output of this attempt. Absent: of all, in order. */
  readonly attempt?: number;
}
