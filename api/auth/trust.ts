/** Which client certificates are trusted: issued by one of these CAs, and not revoked by it. */
import { X509Certificate } from "node:crypto";
import { EngineError } from "../../core/errors.ts";
import { decodePem } from "../../core/values/certificate.ts";
import { DerError } from "../../core/values/der.ts";
import { AuthError, type Identity } from "./identity.ts";
import { normalizeSerial, readRevocationLists } from "./revocation_list.ts";

export interface TrustedAuthority {
  readonly certificate: X509Certificate;
  /** Serial numbers, as `normalizeSerial` gives them. */
  readonly revoked: ReadonlySet<string>;
}

export interface Trust {
  readonly authorities: readonly TrustedAuthority[];
  /** Revocation lists of CAs that are not trusted, which mean nothing. */
  readonly strangeLists: number;
}

/**
 * Reads CAs and revocation lists.
 * @param ca PEM text of one or several CAs @param crl PEM text of one or several revocation lists
 * @throws {EngineError} if one can't be read, or if none of the lists is signed by one of the CAs
 */
export function readTrust(ca: string, crl?: string): Trust {
  const certificates = readCertificates(ca, "security.caCert");
  const authorities = certificates.map((certificate) => ({ certificate, revoked: new Set<string>() }));
  let strangeLists = 0;
  const lists = crl === undefined ? [] : parseLists(crl);
  for (const list of lists) {
    const signer = authorities.find(({ certificate }) => list.isSignedBy(certificate));
    if (signer === undefined) strangeLists++;
    else for (const serial of list.serials) signer.revoked.add(serial);
  }
  if (lists.length > 0 && strangeLists === lists.length) {
    throw new EngineError(
      "precondition",
      "Cannot use the revocation list: it is not signed by security.caCert; run 'joblet certs revoke' to write it anew",
    );
  }
  return { authorities, strangeLists };
}

function parseLists(crl: string) {
  try {
    return readRevocationLists(crl);
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause;
    throw new EngineError("precondition", `Cannot read the revocation list: ${cause.message}`, { cause });
  }
}

/** All certificates of a PEM text. @param key names them in messages @throws {EngineError} */
export function readCertificates(pem: string, key: string): X509Certificate[] {
  try {
    const found = decodePem(pem, "CERTIFICATE").map((der) => new X509Certificate(der));
    if (found.length > 0) return found;
  } catch (cause) {
    throw unreadable(key, cause);
  }
  throw unreadable(key);
}

function unreadable(key: string, cause?: unknown): EngineError {
  const message = `Cannot use the server's certificates: ${key} can't be read as a certificate`;
  return new EngineError("precondition", message, { cause });
}

/** @throws {AuthError} unless one of the CAs has issued the certificate and not revoked it */
export function assertTrusted(certificate: X509Certificate, { authorities }: Trust, whose?: Identity): void {
  const issuer = authorities.find((authority) =>
    certificate.checkIssued(authority.certificate) && certificate.verify(authority.certificate.publicKey)
  );
  if (issuer === undefined) throw refused(whose, "it is not from a CA that this server trusts any more");
  if (issuer.revoked.has(normalizeSerial(certificate.serialNumber))) throw refused(whose, "it has been revoked");
}

function refused(whose: Identity | undefined, why: string): AuthError {
  const of = whose === undefined ? "" : ` of '${whose.name}'`;
  const error = new AuthError("unauthenticated", `Cannot accept the client certificate${of}: ${why}`);
  if (whose) error.claimed = { name: whose.name, serial: whose.serial };
  return error;
}
