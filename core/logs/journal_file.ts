import { EngineError } from "../errors.ts";
import type { Home } from "../values/home.ts";
import { decodeHeader, encodeHeader, JOURNAL_HEADER_SIZE, type JournalHeader } from "./journal_header.ts";

/** Reads up to this size are taken from the page cache, where a live job's tail is, without the way over a thread. */
const DIRECT_READ_BYTES = 64 * 1024;

/**
 * Where a job's journal lies: `<logs>/<id>.journal`. All in one folder, whose index finds a name among millions: spread over
 * folders by the id, each new file would take its inode from another block group, which costs ext4 half a millisecond.
 */
export function journalPath(home: Home, id: string): string {
  return `${home.logs}/${id}.journal`;
}

/**
 * Creates a journal with nothing but its header, mode 0600, and its folder if need be.
 *
 * @throws {EngineError} kind "conflict" if the file exists, "exhausted" if the disk is full
 */
export function createJournal(path: string, jobId: string): void {
  const header = encodeHeader({ jobId, createdNs: BigInt(Date.now()) * 1_000_000n });
  try {
    using file = createExclusively(path);
    writeHeader(file, header, path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw new EngineError("conflict", `Cannot create the journal "${path}": it exists`, { cause: error });
    }
    if (error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT")) {
      throw new EngineError("exhausted", `Cannot create the journal "${path}": the disk is full`, { cause: error });
    }
    throw error;
  }
}

/** The folder is there for all but the first job of a home, so it is only made when it is missed. */
function createExclusively(path: string): Deno.FsFile {
  const options = { write: true, createNew: true, mode: 0o600 };
  try {
    return Deno.openSync(path, options);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true, mode: 0o700 });
    return Deno.openSync(path, options);
  }
}

/** A file with half a header would only be in the way of the next attempt. */
function writeHeader(file: Deno.FsFile, header: Uint8Array, path: string): void {
  try {
    for (let done = 0; done < header.length;) done += file.writeSync(header.subarray(done));
  } catch (error) {
    Deno.removeSync(path);
    throw error;
  }
}

/** Removes a journal; one that is gone already is no error. */
export async function deleteJournal(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    // What was wanted is so.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Opens a journal and checks its header.
 *
 * @throws {EngineError} kind "not_found" if there is no file, "precondition" if it is no journal of a known version
 */
export async function openJournal(path: string): Promise<JournalReader> {
  let file: Deno.FsFile;
  try {
    // Not over a thread of the pool: that takes longer than the opening itself.
    file = Deno.openSync(path, { read: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new EngineError("not_found", `Cannot read the journal "${path}": there is none`, { cause: error });
  }
  const reader = new JournalReader(file, path);
  try {
    await reader.checkHeader();
    return reader;
  } catch (error) {
    reader[Symbol.dispose]();
    throw error;
  }
}

/** Reads one journal through a descriptor of its own: one reader a follower, one read at a time. */
export class JournalReader implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #path: string;
  #closed = false;

  /** Use `openJournal`. */
  constructor(file: Deno.FsFile, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /** What the file's first bytes say. @throws {EngineError} kind "precondition" if they are no journal's */
  async checkHeader(): Promise<JournalHeader> {
    try {
      return decodeHeader(await this.readAt(0, JOURNAL_HEADER_SIZE));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new EngineError("precondition", `Cannot read the journal "${this.#path}": ${error.message}`, {
        cause: error,
      });
    }
  }

  /** Bytes in the file now. */
  get size(): number {
    return this.#file.statSync().size;
  }

  /**
   * The bytes at an offset, in a fresh buffer: as many as there are, at most `maxBytes`. Fewer come only where the file ends.
   */
  async readAt(offset: number, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const buffer = new Uint8Array(Math.max(0, Math.min(maxBytes, this.size - offset)));
    if (buffer.length === 0) return buffer;
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    let done = 0;
    while (done < buffer.length) {
      const rest = buffer.subarray(done);
      const count = buffer.length <= DIRECT_READ_BYTES ? this.#file.readSync(rest) : await this.#file.read(rest);
      if (count === null) return buffer.subarray(0, done);
      done += count;
    }
    return buffer;
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
  }
}
