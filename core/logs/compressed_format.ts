/**
 * A compressed journal, version 1, all little endian: what the journal of an ended run is replaced by. Offsets stay those of
 * the journal.
 *
 *   header    the journal's first 64 bytes as they were
 *   blocks    one zstd frame for each 256 KiB of the journal, its header included; the last one may be shorter. Blocks of
 *             zeros, which is what holes read as, are left out.
 *   index     for each block, in order: u64 number | u64 place in the file | u32 bytes | u32 XXH32 of them, seeded with the
 *             number's low 32 bits
 *   trailer   0 magic "JBLTJRZ\n" | 8 u32 version | 12 u32 block size | 16 u64 size of the journal | 24 u64 place of the
 *             index | 32 u32 blocks in it | 36 u32 XXH32, seed 0, of the index | 40 u32 0 | 44 u32 XXH32, seed 0, of bytes
 *             0..43
 */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { xxh32 } from "./xxh32.ts";

/** Small, because the compression has no thread of its own: half a millisecond each. */
export const BLOCK_BYTES = 256 * 1024;
export const INDEX_ENTRY_BYTES = 24;
export const TRAILER_BYTES = 48;

const MAGIC = new TextEncoder().encode("JBLTJRZ\n");
const VERSION = 1;

export interface IndexEntry {
  /** The block holds the journal's bytes from `number * BLOCK_BYTES` on. */
  readonly number: number;
  readonly place: number;
  readonly bytes: number;
  readonly checksum: number;
}

export interface Trailer {
  readonly journalSize: number;
  readonly indexPlace: number;
  readonly blocks: number;
  readonly indexChecksum: number;
}

export function encodeIndex(entries: readonly IndexEntry[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(entries.length * INDEX_ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [i, entry] of entries.entries()) {
    const at = i * INDEX_ENTRY_BYTES;
    view.setBigUint64(at, BigInt(entry.number), true);
    view.setBigUint64(at + 8, BigInt(entry.place), true);
    view.setUint32(at + 16, entry.bytes, true);
    view.setUint32(at + 20, entry.checksum, true);
  }
  return bytes;
}

/** The entry of a block in an index; undefined if the block was left out. */
export function findEntry(index: DataView, number: number): IndexEntry | undefined {
  let [low, high] = [0, index.byteLength / INDEX_ENTRY_BYTES];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (Number(index.getBigUint64(middle * INDEX_ENTRY_BYTES, true)) < number) low = middle + 1;
    else high = middle;
  }
  const at = low * INDEX_ENTRY_BYTES;
  if (at >= index.byteLength || Number(index.getBigUint64(at, true)) !== number) return undefined;
  const place = Number(index.getBigUint64(at + 8, true));
  return { number, place, bytes: index.getUint32(at + 16, true), checksum: index.getUint32(at + 20, true) };
}

export function encodeTrailer(trailer: Trailer): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(TRAILER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(8, VERSION, true);
  view.setUint32(12, BLOCK_BYTES, true);
  view.setBigUint64(16, BigInt(trailer.journalSize), true);
  view.setBigUint64(24, BigInt(trailer.indexPlace), true);
  view.setUint32(32, trailer.blocks, true);
  view.setUint32(36, trailer.indexChecksum, true);
  view.setUint32(44, xxh32(bytes.subarray(0, 44)), true);
  return bytes;
}

/** Reads a compressed journal's last bytes. @throws {RangeError} with what is wrong with them */
export function decodeTrailer(bytes: Uint8Array): Trailer {
  if (bytes.length < TRAILER_BYTES) throw new RangeError("Its compressed form has no trailer");
  const view = new DataView(bytes.buffer, bytes.byteOffset, TRAILER_BYTES);
  if (!MAGIC.every((byte, i) => bytes[i] === byte) || view.getUint32(44, true) !== xxh32(bytes.subarray(0, 44))) {
    throw new RangeError("The trailer of its compressed form is damaged");
  }
  if (view.getUint32(8, true) !== VERSION || view.getUint32(12, true) !== BLOCK_BYTES) {
    throw new RangeError(`Its compressed form has version ${view.getUint32(8, true)}, this joblet knows ${VERSION}`);
  }
  return {
    journalSize: Number(view.getBigUint64(16, true)),
    indexPlace: Number(view.getBigUint64(24, true)),
    blocks: view.getUint32(32, true),
    indexChecksum: view.getUint32(36, true),
  };
}

export function checksumOf(block: Uint8Array, number: number): number {
  return xxh32(block, number % 2 ** 32);
}

export function compressBlock(block: Uint8Array): Uint8Array {
  // The lowest level: output is mostly text, of which the higher ones save some percent more for twice the time.
  const params = { [constants.ZSTD_c_compressionLevel]: 1 };
  return zstdCompressSync(block, { params, chunkSize: BLOCK_BYTES });
}

/** The block's bytes again; undefined if these are none. */
export function decompressBlock(bytes: Uint8Array, { number, checksum }: IndexEntry): Uint8Array | undefined {
  if (checksumOf(bytes, number) !== checksum) return undefined;
  try {
    return zstdDecompressSync(bytes, { chunkSize: BLOCK_BYTES, maxOutputLength: BLOCK_BYTES });
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
