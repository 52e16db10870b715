import {
  BLOCK_BYTES,
  decodeTrailer,
  decompressBlock,
  findEntry,
  INDEX_ENTRY_BYTES,
  type Trailer,
  TRAILER_BYTES,
} from "./compressed_format.ts";
import { JOURNAL_HEADER_SIZE } from "./journal_header.ts";
import { type JournalReader, readFileAt } from "./journal_reader.ts";
import { turn } from "./turn.ts";
import { xxh32 } from "./xxh32.ts";

/** What a journal is called when it is compressed. */
export function compressedPath(path: string): string {
  return `${path}.z`;
}

/** Reads a compressed journal as if it were not; keeps one block. A damaged block reads as zeros. */
export class CompressedJournalReader implements JournalReader {
  readonly #file: Deno.FsFile;
  #closed = false;
  #header = new Uint8Array(0);
  #index = new DataView(new ArrayBuffer(0));
  #size = 0;
  #last: { readonly number: number; readonly data: Uint8Array | undefined } | undefined;

  /** @param file is closed with the reader */
  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /** To be called before anything else. @throws {RangeError} if the file is no compressed journal or lacks its index */
  async open(): Promise<void> {
    const { size } = this.#file.statSync();
    if (size < JOURNAL_HEADER_SIZE + TRAILER_BYTES) throw new RangeError("Its compressed form has no trailer");
    const trailer = decodeTrailer(await readFileAt(this.#file, size - TRAILER_BYTES, TRAILER_BYTES));
    this.#index = await this.#readIndex(trailer);
    this.#size = trailer.journalSize;
    this.#header = await readFileAt(this.#file, 0, JOURNAL_HEADER_SIZE);
  }

  async #readIndex({ indexPlace, blocks, indexChecksum }: Trailer): Promise<DataView<ArrayBuffer>> {
    const index = await readFileAt(this.#file, indexPlace, blocks * INDEX_ENTRY_BYTES);
    if (xxh32(index) !== indexChecksum) throw new RangeError("The index of its compressed form is damaged");
    return new DataView(index.buffer, 0, index.length);
  }

  get size(): number {
    return this.#size;
  }

  async readAt(offset: number, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const end = Math.min(offset + maxBytes, this.#size);
    const buffer = new Uint8Array(Math.max(0, end - offset));
    for (let at = offset; at < end;) {
      const number = Math.floor(at / BLOCK_BYTES);
      const start = number * BLOCK_BYTES;
      const stop = Math.min(end, start + BLOCK_BYTES);
      const block = await this.#block(number);
      if (block) buffer.set(block.subarray(at - start, stop - start), at - offset);
      at = stop;
    }
    // The copy, so that damage to the first block leaves a journal.
    if (offset < JOURNAL_HEADER_SIZE) buffer.set(this.#header.subarray(offset, offset + buffer.length));
    return buffer;
  }

  async #block(number: number): Promise<Uint8Array | undefined> {
    if (this.#last?.number !== number) this.#last = { number, data: await this.#load(number) };
    return this.#last.data;
  }

  /** @returns undefined for zeros */
  async #load(number: number): Promise<Uint8Array | undefined> {
    const entry = findEntry(this.#index, number);
    if (entry === undefined) return undefined;
    const bytes = await readFileAt(this.#file, entry.place, entry.bytes);
    const block = decompressBlock(bytes, entry);
    // Small reads are answered at once, so whoever reads a whole journal would let nobody else have a turn.
    await turn();
    return block;
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
  }
}
