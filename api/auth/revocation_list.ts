/**
 * Certificate revocation lists (RFC 5280, 5): the TLS stack ignores them, so the server reads and asks them itself.
 *
 *   CertificateList { tbs { version, algorithm, issuer, thisUpdate, nextUpdate?, { { serial, date, ext? }… }?, [0]? }, algorithm, signature }
 */
import { verify, type X509Certificate } from "node:crypto";
import { decodePem } from "../../core/values/certificate.ts";
import {
  DER_TAG,
  type DerElement,
  DerError,
  formatOid,
  readChildren,
  readElement,
  readSingle,
} from "../../core/values/der.ts";
import { readExtension } from "./der.ts";

/** Signature algorithms by object identifier; others are too weak or unusual. */
const ALGORITHMS: ReadonlyMap<string, { readonly hash: string | null; readonly key: string }> = new Map([
  ["1.2.840.10045.4.3.2", { hash: "sha256", key: "ec" }],
  ["1.2.840.10045.4.3.3", { hash: "sha384", key: "ec" }],
  ["1.2.840.10045.4.3.4", { hash: "sha512", key: "ec" }],
  ["1.2.840.113549.1.1.11", { hash: "sha256", key: "rsa" }],
  ["1.2.840.113549.1.1.12", { hash: "sha384", key: "rsa" }],
  ["1.2.840.113549.1.1.13", { hash: "sha512", key: "rsa" }],
  ["1.3.101.112", { hash: null, key: "ed25519" }],
]);

export interface RevocationList {
  /** Serial numbers as `normalizeSerial` gives them. */
  readonly serials: ReadonlySet<string>;
  /** Whether this CA has signed the list. */
  isSignedBy(authority: X509Certificate): boolean;
}

/** A serial number in one spelling: upper-case hexadecimal digits without leading zeros. */
export function normalizeSerial(serial: string): string {
  return serial.toUpperCase().replace(/^0+(?=.)/, "");
}

/** The lists in a PEM text with the label "X509 CRL". @throws {DerError} if there is none, or one can't be read */
export function readRevocationLists(pem: string): RevocationList[] {
  const blocks = decodePem(pem, "X509 CRL");
  if (blocks.length === 0) throw new DerError("it holds no block 'X509 CRL'");
  return blocks.map(readRevocationList);
}

function readRevocationList(der: Uint8Array<ArrayBuffer>): RevocationList {
  const [tbs, algorithm, signature] = readChildren(readSingle(der, DER_TAG.sequence));
  if (tbs?.tag !== DER_TAG.sequence || algorithm === undefined || signature?.tag !== DER_TAG.bitString) {
    throw new DerError("Cannot read DER: this is no revocation list");
  }
  const oid = formatOid(readElement(algorithm.content).content);
  const method = ALGORITHMS.get(oid);
  if (method === undefined) throw new DerError(`Cannot check a revocation list: its signature algorithm is ${oid}`);
  return {
    serials: new Set(entriesOf(tbs.content).map(readEntry)),
    isSignedBy: ({ publicKey }) =>
      publicKey.asymmetricKeyType === method.key &&
      // The first byte of a bit string counts the unused bits of its last one.
      verify(method.hash, tbs.raw, publicKey, signature.content.subarray(1)),
  };
}

function entriesOf(tbs: Uint8Array<ArrayBuffer>): DerElement[] {
  const fields = readChildren(tbs);
  const extensions = fields.find(({ tag }) => tag === DER_TAG.context0);
  if (extensions) assertNoneCritical(readSingle(extensions.content, DER_TAG.sequence));
  const dates = fields.findLastIndex(({ tag }) => tag === DER_TAG.utcTime || tag === DER_TAG.generalizedTime);
  const entries = fields[dates + 1];
  if (dates < 0) throw new DerError("Cannot read DER: this is no revocation list");
  return entries?.tag === DER_TAG.sequence ? readChildren(entries.content) : [];
}

function readEntry({ content }: DerElement): string {
  const [serial, , extensions] = readChildren(content);
  if (serial?.tag !== DER_TAG.integer) throw new DerError("Cannot read DER: this is no entry of a revocation list");
  if (extensions) assertNoneCritical(extensions.content);
  return normalizeSerial(serial.content.toHex());
}

/** A critical extension changes what the list means: only for some certificates, for another issuer, a difference. */
function assertNoneCritical(extensions: Uint8Array<ArrayBuffer>): void {
  for (const extension of readChildren(extensions)) {
    const { oid, critical } = readExtension(extension);
    if (critical) throw new DerError(`Cannot use a revocation list with the critical extension ${oid}`);
  }
}
