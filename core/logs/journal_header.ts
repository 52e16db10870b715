/**
 * The start of a journal, version 1, all little endian; the engine writes it when it creates the file.
 *
 *   0 magic "JBLTJRN\n" | 8 u32 version | 12 u32 header size | 16 job id, 16 bytes | 32 u64 created, ns | 40 zeros |
 *   60 u32 XXH32, seed 0, of bytes 0..59
 */
import { xxh32 } from "./xxh32.ts";

/** Bytes before the first frame. */
export const JOURNAL_HEADER_SIZE = 64;

const MAGIC = new TextEncoder().encode("JBLTJRN\n");
const VERSION = 1;

export interface JournalHeader {
  /** UUID, with dashes. */
  readonly jobId: string;
  /** Nanoseconds since the epoch. */
  readonly createdNs: bigint;
}

/** The first 64 bytes of a journal. @throws {RangeError} if the id is no UUID */
export function encodeHeader(header: JournalHeader): Uint8Array<ArrayBuffer> {
  const digits = header.jobId.replaceAll("-", "");
  if (!/^[0-9a-f]{32}$/.test(digits)) throw new RangeError(`Cannot write job id '${header.jobId}': it must be a UUID`);
  const bytes = new Uint8Array(JOURNAL_HEADER_SIZE);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(8, VERSION, true);
  view.setUint32(12, JOURNAL_HEADER_SIZE, true);
  bytes.set(Uint8Array.fromHex(digits), 16);
  view.setBigUint64(32, header.createdNs, true);
  view.setUint32(60, xxh32(bytes.subarray(0, 60)), true);
  return bytes;
}

/** Reads a journal's first bytes. @throws {RangeError} with what is wrong with them */
export function decodeHeader(bytes: Uint8Array): JournalHeader {
  if (bytes.length < JOURNAL_HEADER_SIZE) throw new RangeError(`It has ${bytes.length} of the 64 bytes of its header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, JOURNAL_HEADER_SIZE);
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) {
    throw new RangeError("It does not begin with the magic of a journal");
  }
  const version = view.getUint32(8, true);
  if (version !== VERSION) {
    throw new RangeError(`It has format version ${version}, this joblet knows version ${VERSION}`);
  }
  const size = view.getUint32(12, true);
  if (size !== JOURNAL_HEADER_SIZE) throw new RangeError(`Its header claims ${size} bytes instead of 64`);
  if (view.getUint32(60, true) !== xxh32(bytes.subarray(0, 60))) throw new RangeError("Its header fails its checksum");
  const jobId = bytes.subarray(16, 32).toHex().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  return { jobId, createdNs: view.getBigUint64(32, true) };
}
