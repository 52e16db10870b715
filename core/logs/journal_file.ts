import { EngineError } from "../errors.ts";
import type { Home } from "../values/home.ts";
import { CompressedJournalReader, compressedPath } from "./compressed_journal.ts";
import { decodeHeader, encodeHeader, JOURNAL_HEADER_SIZE } from "./journal_header.ts";
import { FileJournalReader, type JournalReader } from "./journal_reader.ts";

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

/** Removes a journal, compressed or not; one that is gone already is no error. */
export async function deleteJournal(path: string): Promise<void> {
  for (const name of [path, compressedPath(path)]) {
    try {
      await Deno.remove(name);
    } catch (error) {
      // What was wanted is so.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/**
 * Opens a journal, or what it was compressed to, and checks its header.
 *
 * @throws {EngineError} kind "not_found" if there is no file, "precondition" if it is no journal of a known version
 */
export async function openJournal(path: string): Promise<JournalReader> {
  // In this order: the compressed one is there before the other one goes.
  const plain = openFile(path);
  if (plain !== undefined) return await checked(new FileJournalReader(plain), path);
  const compressed = openFile(compressedPath(path));
  if (compressed !== undefined) return await checked(new CompressedJournalReader(compressed), path);
  throw new EngineError("not_found", `Cannot read the journal "${path}": there is none`);
}

function openFile(path: string): Deno.FsFile | undefined {
  try {
    // Not over a thread of the pool: that takes longer than the opening itself.
    return Deno.openSync(path, { read: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function checked(reader: JournalReader & { open?(): Promise<void> }, path: string): Promise<JournalReader> {
  try {
    await reader.open?.();
    decodeHeader(await reader.readAt(0, JOURNAL_HEADER_SIZE));
    return reader;
  } catch (error) {
    reader[Symbol.dispose]();
    if (!(error instanceof RangeError)) throw error;
    throw new EngineError("precondition", `Cannot read the journal "${path}": ${error.message}`, { cause: error });
  }
}
