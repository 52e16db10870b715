/**
 * XXH32, the 32 bit variant of xxHash: a fast checksum against damage, with no claim against forgery.
 * Words are read through a DataView: V8 compiles that to plain unaligned loads, at about twice the speed of
 * assembling words from bytes.
 */
const PRIME1 = 0x9e3779b1 | 0;
const PRIME2 = 0x85ebca77 | 0;
const PRIME3 = 0xc2b2ae3d | 0;
const PRIME4 = 0x27d4eb2f | 0;
const PRIME5 = 0x165667b1 | 0;

/** Checksum of bytes as an unsigned number. @param seed only its low 32 bits count */
export function xxh32(bytes: Uint8Array, seed = 0): number {
  return xxh32Range(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.byteLength, seed);
}

/** Checksum of the bytes from `start` to before `end`, for callers that check many ranges of one buffer. */
export function xxh32Range(view: DataView, start: number, end: number, seed: number): number {
  let at = start;
  let hash = (seed | 0) + PRIME5 | 0;
  if (end - start >= 16) {
    hash = hashStripes(view, start, end, seed | 0);
    at = end - ((end - start) & 15);
  }
  hash = (hash + (end - start)) | 0;
  for (; at + 4 <= end; at += 4) {
    hash = (hash + Math.imul(view.getInt32(at, true), PRIME3)) | 0;
    hash = Math.imul(hash << 17 | hash >>> 15, PRIME4);
  }
  for (; at < end; at++) {
    hash = (hash + Math.imul(view.getUint8(at), PRIME5)) | 0;
    hash = Math.imul(hash << 11 | hash >>> 21, PRIME1);
  }
  hash = Math.imul(hash ^ hash >>> 15, PRIME2);
  hash = Math.imul(hash ^ hash >>> 13, PRIME3);
  return (hash ^ hash >>> 16) >>> 0;
}

/** The four lanes over all whole stripes of 16 bytes. */
function hashStripes(view: DataView, start: number, end: number, seed: number): number {
  let lane1 = (seed + PRIME1 + PRIME2) | 0;
  let lane2 = (seed + PRIME2) | 0;
  let lane3 = seed;
  let lane4 = (seed - PRIME1) | 0;
  for (let at = start; at <= end - 16; at += 16) {
    lane1 = (lane1 + Math.imul(view.getInt32(at, true), PRIME2)) | 0;
    lane1 = Math.imul(lane1 << 13 | lane1 >>> 19, PRIME1);
    lane2 = (lane2 + Math.imul(view.getInt32(at + 4, true), PRIME2)) | 0;
    lane2 = Math.imul(lane2 << 13 | lane2 >>> 19, PRIME1);
    lane3 = (lane3 + Math.imul(view.getInt32(at + 8, true), PRIME2)) | 0;
    lane3 = Math.imul(lane3 << 13 | lane3 >>> 19, PRIME1);
    lane4 = (lane4 + Math.imul(view.getInt32(at + 12, true), PRIME2)) | 0;
    lane4 = Math.imul(lane4 << 13 | lane4 >>> 19, PRIME1);
  }
  return ((lane1 << 1 | lane1 >>> 31) + (lane2 << 7 | lane2 >>> 25) + (lane3 << 12 | lane3 >>> 20) +
    (lane4 << 18 | lane4 >>> 14)) | 0;
}
