/**
 * Where the output of runs is kept. What stands above it (core/jobs, core/run) knows this interface and the types of log.ts
 * alone, so the store could be a process of its own.
 */
import type { JournalOutcome, ReadOutcomeOptions } from "./last_frame.ts";
import type { JournalBatch, RunLogQuery, WriterEnd } from "./log.ts";

/** One attempt of a job. */
export interface RunId {
  readonly id: string;
  /** From 1. */
  readonly attempt: number;
}

export interface LogStore {
  /**
   * Makes room for a run's output. @returns path of the file that the run's init appends to
   * @throws {EngineError} kind "conflict" if the run has output already, "exhausted" if the disk is full
   */
  create(run: RunId): string;
  /** Where a run's output would lie, in words. */
  describe(run: RunId): string;
  /** Whether `create` was called for this run and its output is still kept. */
  exists(run: RunId): boolean;
  /** How the run ended, as its output tells. @throws {EngineError} kind "not_found" if no output is kept */
  outcome(run: RunId, options?: ReadOutcomeOptions): Promise<JournalOutcome>;
  /**
   * Output from an offset on. @throws {EngineError} kind "not_found" if no output is kept, "invalid" for a wrong offset
   */
  read(run: RunId, query: RunLogQuery, ended: WriterEnd): AsyncGenerator<JournalBatch>;
  /**
   * Told once a run has ended: makes its output durable and, by policy, smaller. Offsets stay what they were, and readers go
   * on. @returns bytes that it takes on the disk; 0 if it was removed meanwhile
   * @throws {EngineError} kind "not_found" if no output is kept
   */
  seal(run: RunId): Promise<number>;
  /** What a run's output takes on the disk, in bytes; 0 if none is kept. */
  diskBytes(run: RunId): number;
  /** Removes one run's output; what is gone already is no error. */
  removeRun(run: RunId): Promise<void>;
  /** Removes the output of a job's attempts 1 to `attempts`; what is gone already is no error. */
  remove(id: string, attempts: number): Promise<void>;
  /** All runs with output, in no order. */
  list(): AsyncGenerator<RunId>;
  /** Gives up the sealing that is under way; what was not sealed stays as it is. */
  close(): Promise<void>;
}
