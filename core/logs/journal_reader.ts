/** Reads one journal through a descriptor of its own: one reader a follower, one read at a time. */
export interface JournalReader extends Disposable {
  /** Bytes in the journal now. */
  readonly size: number;
  /**
   * The bytes at an offset, in a fresh buffer: as many as there are, at most `maxBytes`. Fewer come only where the journal
   * ends. Zeros stand for what can't be read any more.
   */
  readAt(offset: number, maxBytes: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Reads up to this size are taken from the page cache, where a live job's tail is, without the way over a thread. */
const DIRECT_READ_BYTES = 64 * 1024;

/** The bytes of a file at an offset, at most `length`; fewer only where the file ends. */
export async function readFileAt(file: Deno.FsFile, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const buffer = new Uint8Array(length);
  file.seekSync(offset, Deno.SeekMode.Start);
  let done = 0;
  while (done < length) {
    const rest = buffer.subarray(done);
    const count = length <= DIRECT_READ_BYTES ? file.readSync(rest) : await file.read(rest);
    if (count === null) return buffer.subarray(0, done);
    done += count;
  }
  return buffer;
}

/** A journal as init writes it. */
export class FileJournalReader implements JournalReader {
  readonly #file: Deno.FsFile;
  #closed = false;

  /** @param file is closed with the reader */
  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  get size(): number {
    return this.#file.statSync().size;
  }

  async readAt(offset: number, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    return await readFileAt(this.#file, offset, Math.max(0, Math.min(maxBytes, this.size - offset)));
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
  }
}
