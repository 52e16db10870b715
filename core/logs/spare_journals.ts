import { createJournal } from "./journal_file.ts";
import { encodeHeader } from "./journal_header.ts";

/** Spares kept; more would only help bursts that are longer than the disk can follow. */
const SIZE = 8;

/**
 * Empty files made ahead of time, to become journals: making a file takes ext4 up to half a millisecond after a pause, renaming
 * one a twentieth of that.
 */
export class SpareJournals {
  readonly #folder: string;
  readonly #ready: string[] = [];
  #made = 0;

  /** @param folder made anew; on the file system of the journals, or spares are of no use */
  constructor(folder: string) {
    try {
      Deno.removeSync(folder, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    Deno.mkdirSync(folder, { mode: 0o700 });
    this.#folder = folder;
  }

  /** Like `createJournal`, with its errors, for an id that was never used. */
  create(path: string, jobId: string): void {
    const spare = this.#ready.pop();
    if (spare === undefined || !becomeJournal(spare, path, jobId)) createJournal(path, jobId);
  }

  /** Makes one spare if any is missing: for a moment when nobody waits. */
  refill(): void {
    if (this.#ready.length >= SIZE) return;
    const path = `${this.#folder}/${this.#made++}`;
    try {
      Deno.openSync(path, { write: true, createNew: true, mode: 0o600 }).close();
      this.#ready.push(path);
    } catch (error) {
      // The disk is full or failing: the next job makes its own journal, and tells.
      if (!(error instanceof Error && "code" in error)) throw error;
    }
  }
}

/** @returns false if the spare can't be used; then it is gone */
function becomeJournal(spare: string, path: string, jobId: string): boolean {
  try {
    const header = encodeHeader({ jobId, createdNs: BigInt(Date.now()) * 1_000_000n });
    using file = Deno.openSync(spare, { write: true });
    if (file.writeSync(header) === header.length) {
      Deno.renameSync(spare, path);
      return true;
    }
    Deno.removeSync(spare);
    return false;
  } catch (error) {
    // The folder of the journals is missing or on another disk, or the disk is full: createJournal deals with it or tells.
    if (error instanceof Error && "code" in error) return false;
    throw error;
  }
}
