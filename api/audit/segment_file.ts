/** The file that is being appended to. */
import { writeBytes } from "../../core/file_bytes.ts";

/** How long what was written may wait for its fdatasync, in milliseconds: one for all of a burst. */
const SYNC_DELAY_MS = 50;

/** What the log needs of a file. */
export interface AppendFile {
  /** Bytes in it. */
  readonly size: number;
  /** Appends all of the bytes, in one write unless the disk gets full in the middle of it; then none of them stay. */
  append(bytes: Uint8Array): void;
  /** Resolves when it is durable and closed. Never rejects. */
  close(): Promise<void>;
}

/** Opens a file for appending, which is made if need be. @param onError told of a sync that failed */
export type OpenFile = (path: string, onError: (error: unknown) => void) => AppendFile;

export const openAppendFile: OpenFile = (path, onError) => new SegmentFile(path, onError);

class SegmentFile implements AppendFile {
  readonly #file: Deno.FsFile;
  readonly #onError: (error: unknown) => void;
  #size: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #syncing: Promise<void> = Promise.resolve();
  #isDirty = false;

  constructor(path: string, onError: (error: unknown) => void) {
    this.#file = Deno.openSync(path, { append: true, create: true, mode: 0o600 });
    this.#onError = onError;
    const { size, mode } = this.#file.statSync();
    this.#size = size;
    if (((mode ?? 0) & 0o077) !== 0) Deno.chmodSync(path, 0o600);
  }

  get size(): number {
    return this.#size;
  }

  append(bytes: Uint8Array): void {
    try {
      writeBytes(this.#file, bytes);
    } catch (error) {
      this.#cutBack();
      throw error;
    }
    this.#size += bytes.length;
    this.#isDirty = true;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#syncing = this.#syncing.then(() => this.#sync());
    }, SYNC_DELAY_MS);
  }

  #cutBack(): void {
    try {
      this.#file.truncateSync(this.#size);
    } catch (error) {
      // A part of a record stays, which whoever opens the file next recognises.
      this.#onError(error);
    }
  }

  async #sync(): Promise<void> {
    if (!this.#isDirty) return;
    this.#isDirty = false;
    try {
      await this.#file.syncData();
    } catch (error) {
      this.#onError(error);
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#syncing;
    await this.#sync();
    this.#file.close();
  }
}
