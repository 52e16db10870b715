/**
 * A reader for as much DER (X.690) as it takes to find a certificate's extensions (RFC 5280, 4.1):
 *
 *   Certificate { tbs { [0] version, serial, algorithm, issuer, validity, subject, key, [1]?, [2]?, [3] { { ext… } } }, … }
 *   ext { OID, BOOLEAN critical?, OCTET STRING value }
 *
 * It trusts no length: whatever points outside its parent is an error.
 */

/** Thrown for bytes that are no DER, or no certificate. */
export class DerError extends Error {
  override readonly name = "DerError";
}

export const DER_TAG = {
  boolean: 0x01,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  extensions: 0xa3,
} as const;

interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Offset of what follows. */
  readonly end: number;
}

function readElement(bytes: Uint8Array, offset: number): Element {
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
  return { tag, content: bytes.subarray(start, end), end };
}

function readChildren(bytes: Uint8Array): Element[] {
  const children: Element[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const child = readElement(bytes, offset);
    children.push(child);
    offset = child.end;
  }
  return children;
}

/** The content of the one element that these bytes are. @throws {DerError} for another tag or bytes after it */
export function readSingle(bytes: Uint8Array, tag: number): Uint8Array {
  const element = readElement(bytes, 0);
  if (element.tag !== tag || element.end !== bytes.length) {
    throw new DerError(`Cannot read DER: tag 0x${tag.toString(16)} was wanted`);
  }
  return element.content;
}

/** The contents of a SEQUENCE of object identifiers, as dotted numbers. @throws {DerError} */
export function readOidSequence(bytes: Uint8Array): string[] {
  return readChildren(readSingle(bytes, DER_TAG.sequence)).map((child) => {
    if (child.tag !== DER_TAG.oid) throw new DerError("Cannot read DER: an object identifier was wanted");
    return formatOid(child.content);
  });
}

/** Whether a basicConstraints value says that the certificate is a CA's. @throws {DerError} */
export function readIsCa(bytes: Uint8Array): boolean {
  const first = readChildren(readSingle(bytes, DER_TAG.sequence))[0];
  return first?.tag === DER_TAG.boolean && first.content[0] !== 0;
}

/** A UTF8String's text. @throws {DerError} */
export function readUtf8String(bytes: Uint8Array): string {
  const content = readSingle(bytes, DER_TAG.utf8String);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch (cause) {
    throw new DerError("Cannot read DER: a string is not UTF-8", { cause });
  }
}

/** The values of a certificate's extensions by object identifier. @throws {DerError} also if one is given twice */
export function readExtensions(certificate: Uint8Array): Map<string, Uint8Array> {
  const outer = readElement(certificate, 0);
  if (outer.tag !== DER_TAG.sequence) throw new DerError("Cannot read DER: this is no certificate");
  const tbs = readElement(outer.content, 0);
  if (tbs.tag !== DER_TAG.sequence) throw new DerError("Cannot read DER: this is no certificate");
  const wrapper = readChildren(tbs.content).find((child) => child.tag === DER_TAG.extensions);
  const found = new Map<string, Uint8Array>();
  if (wrapper === undefined) return found;
  for (const extension of readChildren(readSingle(wrapper.content, DER_TAG.sequence))) {
    const parts = readChildren(extension.content);
    const [id, value] = [parts[0], parts.at(-1)];
    if (id?.tag !== DER_TAG.oid || value?.tag !== DER_TAG.octetString) {
      throw new DerError("Cannot read DER: this is no certificate extension");
    }
    const oid = formatOid(id.content);
    // RFC 5280, 4.2 forbids it, and readers that take the first and readers that take the last would disagree.
    if (found.has(oid)) throw new DerError(`Cannot read certificate: extension ${oid} is given twice`);
    found.set(oid, value.content);
  }
  return found;
}

function formatOid(bytes: Uint8Array): string {
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
