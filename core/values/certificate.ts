/** What the command line tells of a certificate: whose it is and when it is good. */
import { DER_TAG, DerError, formatOid, readChildren, readElement, readTime } from "./der.ts";

const OID_COMMON_NAME = "2.5.4.3";

export interface CertificateSummary {
  /** The last common name of the subject; "" if it has none. */
  readonly commonName: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** The blocks of a PEM text that have this label, such as "CERTIFICATE", as DER. @throws {DerError} for bad base64 */
export function decodePem(text: string, label: string): Uint8Array<ArrayBuffer>[] {
  const blocks = text.matchAll(new RegExp(`^-----BEGIN ${label}-----$([^-]*)^-----END ${label}-----$`, "gm"));
  return [...blocks].map(([, base64 = ""]) => {
    try {
      return Uint8Array.fromBase64(base64.replaceAll(/\s/g, ""));
    } catch (cause) {
      throw new DerError(`Cannot read PEM: a ${label} is no base64`, { cause });
    }
  });
}

/** Reads the first certificate of a PEM text. @throws {DerError} */
export function summarizeCertificate(pem: string): CertificateSummary {
  const [der] = decodePem(pem, "CERTIFICATE");
  if (der === undefined) throw new DerError("Cannot read PEM: it holds no certificate");
  const tbs = readElement(readElement(der).content);
  const fields = readChildren(tbs.content);
  if (fields[0]?.tag === DER_TAG.context0) fields.shift();
  const [, , , validity, subject] = fields;
  if (validity?.tag !== DER_TAG.sequence || subject?.tag !== DER_TAG.sequence) {
    throw new DerError("Cannot read DER: this is no certificate");
  }
  const [notBefore, notAfter] = readChildren(validity.content);
  if (notBefore === undefined || notAfter === undefined) throw new DerError("Cannot read DER: this is no certificate");
  return { commonName: commonNameOf(subject.content), notBefore: readTime(notBefore), notAfter: readTime(notAfter) };
}

/** Name { SET { SEQUENCE { OID, text } }… } */
function commonNameOf(name: Uint8Array<ArrayBuffer>): string {
  const attributes = readChildren(name).flatMap(({ content }) => readChildren(content));
  const names = attributes.map(({ content }) => readChildren(content)).filter(([id]) =>
    id?.tag === DER_TAG.oid && formatOid(id.content) === OID_COMMON_NAME
  );
  return new TextDecoder().decode(names.at(-1)?.[1]?.content);
}
