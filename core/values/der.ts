/** A reader for DER (X.690). It trusts no length: whatever points outside its parent is an error. */

/** Thrown for bytes that are no DER, or not what they should be. */
export class DerError extends Error {
  override readonly name = "DerError";
}

export const DER_TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  /** [0], [3]: versions, extensions. */
  context0: 0xa0,
  context3: 0xa3,
} as const;

export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array<ArrayBuffer>;
  /** Tag, length and content. */
  readonly raw: Uint8Array<ArrayBuffer>;
  /** Offset of what follows. */
  readonly end: number;
}

/** The element that begins at the offset. @throws {DerError} */
export function readElement(bytes: Uint8Array<ArrayBuffer>, offset = 0): DerElement {
  const tag = bytes[offset];
  const first = bytes[offset + 1];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) throw new DerError("Cannot read DER: bad tag");
  let length = first;
  let start = offset + 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    // 0 is the indefinite length that DER forbids; three bytes are 16 MiB.
    if (count === 0 || count > 3) throw new DerError("Cannot read DER: bad length");
    length = 0;
    for (let i = 0; i < count; i++) length = (length << 8) | (bytes[start + i] ?? 0);
    start += count;
  }
  const end = start + length;
  if (end > bytes.length) throw new DerError("Cannot read DER: an element ends outside its parent");
  return { tag, content: bytes.subarray(start, end), raw: bytes.subarray(offset, end), end };
}

/** The elements that these bytes are, one after the other. @throws {DerError} */
export function readChildren(bytes: Uint8Array<ArrayBuffer>): DerElement[] {
  const children: DerElement[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const child = readElement(bytes, offset);
    children.push(child);
    offset = child.end;
  }
  return children;
}

/** The content of the one element that these bytes are. @throws {DerError} for another tag or bytes after it */
export function readSingle(bytes: Uint8Array<ArrayBuffer>, tag: number): Uint8Array<ArrayBuffer> {
  const element = readElement(bytes, 0);
  if (element.tag !== tag || element.end !== bytes.length) {
    throw new DerError(`Cannot read DER: tag 0x${tag.toString(16)} was wanted`);
  }
  return element.content;
}

/** An object identifier's content as dotted numbers. @throws {DerError} */
export function formatOid(bytes: Uint8Array): string {
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const byte of bytes) {
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if (byte & 0x80) continue;
    arcs.push(arc);
    arc = 0n;
  }
  const first = arcs[0];
  if (first === undefined || bytes.at(-1)! & 0x80) throw new DerError("Cannot read DER: bad object identifier");
  const top = first < 80n ? first / 40n : 2n;
  return [top, first - top * 40n, ...arcs.slice(1)].join(".");
}

/** A UTCTime or GeneralizedTime as RFC 5280, 4.1.2.5 wants it: to the second, in UTC. @throws {DerError} */
export function readTime({ tag, content }: DerElement): Date {
  const text = new TextDecoder().decode(content);
  const match = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  const digits = tag === DER_TAG.utcTime ? 2 : tag === DER_TAG.generalizedTime ? 4 : undefined;
  if (match === null || match[1]!.length !== digits) throw new DerError("Cannot read DER: a time was wanted");
  const [year = 0, month = 0, ...rest] = match.slice(1).map(Number);
  const [day = 0, hour = 0, minute = 0, second = 0] = rest;
  // Two digits mean 1950 to 2049.
  const century = digits === 4 ? 0 : year < 50 ? 2000 : 1900;
  return new Date(Date.UTC(century + year, month - 1, day, hour, minute, second));
}
