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

/** Pieces in the order in which they were written. */
export interface LogBatch {
  readonly pieces: readonly LogPiece[];
  /** Offset to go on from after these pieces. */
  readonly nextOffset: number;
  /** Set in the last batch if the job has ended and nothing more will come. */
  readonly endedJob?: Job;
}

export interface LogQuery {
  /** 0, or a `nextOffset` handed out before. @default {0} */
  readonly offset?: number;
  /** Wait for more until the job has ended. @default {false} */
  readonly follow?: boolean;
  /** Absent or empty: both. */
  readonly streams?: readonly LogStreamName[];
}
