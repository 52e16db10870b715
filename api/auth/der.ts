/**
 * What the server reads from a certificate besides what the runtime tells (RFC 5280, 4.1):
 *
 *   Certificate { tbs { [0] version, serial, algorithm, issuer, validity, subject, key, [1]?, [2]?, [3] { { ext… } } }, … }
 *   ext { OID, BOOLEAN critical?, OCTET STRING value }
 */
import {
  DER_TAG,
  type DerElement,
  DerError,
  formatOid,
  readChildren,
  readElement,
  readSingle,
} from "../../core/values/der.ts";

/** The contents of a SEQUENCE of object identifiers, as dotted numbers. @throws {DerError} */
export function readOidSequence(bytes: Uint8Array<ArrayBuffer>): string[] {
  return readChildren(readSingle(bytes, DER_TAG.sequence)).map((child) => {
    if (child.tag !== DER_TAG.oid) throw new DerError("Cannot read DER: an object identifier was wanted");
    return formatOid(child.content);
  });
}

/** Whether a basicConstraints value says that the certificate is a CA's. @throws {DerError} */
export function readIsCa(bytes: Uint8Array<ArrayBuffer>): boolean {
  const first = readChildren(readSingle(bytes, DER_TAG.sequence))[0];
  return first?.tag === DER_TAG.boolean && first.content[0] !== 0;
}

/** A UTF8String's text. @throws {DerError} */
export function readUtf8String(bytes: Uint8Array<ArrayBuffer>): string {
  const content = readSingle(bytes, DER_TAG.utf8String);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch (cause) {
    throw new DerError("Cannot read DER: a string is not UTF-8", { cause });
  }
}

/** A keyUsage value's bits, the first one the highest: 0x04 is keyCertSign. @throws {DerError} */
export function readKeyUsage(bytes: Uint8Array<ArrayBuffer>): number {
  const content = readSingle(bytes, DER_TAG.bitString);
  return content[1] ?? 0;
}

/** Object identifier of the algorithm that a certificate is signed with. @throws {DerError} */
export function readSignatureAlgorithm(certificate: Uint8Array): string {
  const [, algorithm] = readChildren(readElement(new Uint8Array(certificate)).content);
  if (algorithm?.tag !== DER_TAG.sequence) throw new DerError("Cannot read DER: this is no certificate");
  return formatOid(readElement(algorithm.content).content);
}

/** The values of a certificate's extensions by object identifier. @throws {DerError} also if one is given twice */
export function readExtensions(certificate: Uint8Array): Map<string, Uint8Array<ArrayBuffer>> {
  const outer = readElement(new Uint8Array(certificate));
  if (outer.tag !== DER_TAG.sequence) throw new DerError("Cannot read DER: this is no certificate");
  const tbs = readElement(outer.content);
  if (tbs.tag !== DER_TAG.sequence) throw new DerError("Cannot read DER: this is no certificate");
  const wrapper = readChildren(tbs.content).find((child) => child.tag === DER_TAG.context3);
  const found = new Map<string, Uint8Array<ArrayBuffer>>();
  if (wrapper === undefined) return found;
  for (const extension of readChildren(readSingle(wrapper.content, DER_TAG.sequence))) {
    const { oid, value } = readExtension(extension);
    // RFC 5280, 4.2 forbids it, and readers that take the first and readers that take the last would disagree.
    if (found.has(oid)) throw new DerError(`Cannot read certificate: extension ${oid} is given twice`);
    found.set(oid, value);
  }
  return found;
}

/** One extension of a certificate, a revocation list or an entry of one. @throws {DerError} */
export function readExtension(extension: DerElement): {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array<ArrayBuffer>;
} {
  const parts = readChildren(extension.content);
  const [id, middle, value] = [parts[0], parts[1], parts.at(-1)];
  if (id?.tag !== DER_TAG.oid || value?.tag !== DER_TAG.octetString) {
    throw new DerError("Cannot read DER: this is no certificate extension");
  }
  const critical = middle?.tag === DER_TAG.boolean && middle.content[0] !== 0;
  return { oid: formatOid(id.content), critical, value: value.content };
}
