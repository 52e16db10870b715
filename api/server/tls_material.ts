/** Checks the server's own certificates before it uses them, so that a wrong or weak one has a message of its own. */
import { createPrivateKey, type KeyObject, type X509Certificate } from "node:crypto";
import { EngineError } from "../../core/errors.ts";
import { DerError } from "../../core/values/der.ts";
import { readExtensions, readKeyUsage, readOidSequence, readSignatureAlgorithm } from "../auth/der.ts";
import { readCertificates, readTrust, type Trust } from "../auth/trust.ts";
import type { TlsConfig } from "../config/tls_config.ts";

const OID_KEY_USAGE = "2.5.29.15";
const OID_EXTENDED_KEY_USAGE = "2.5.29.37";
const OID_SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const KEY_CERT_SIGN = 0x04;
const MIN_RSA_BITS = 2048;
const STRONG_CURVES: ReadonlySet<string> = new Set(["prime256v1", "secp384r1", "secp521r1"]);

const WEAK_SIGNATURES: ReadonlyMap<string, string> = new Map([
  ["1.2.840.113549.1.1.2", "MD2"],
  ["1.2.840.113549.1.1.4", "MD5"],
  ["1.2.840.113549.1.1.5", "SHA-1"],
  ["1.2.840.10040.4.3", "SHA-1"],
  ["1.2.840.10045.4.1", "SHA-1"],
]);

const RENEW = "run 'joblet certs renew --server' to renew it";
const RENEW_CA = "run 'joblet certs rotate-ca' to see how to replace it";

/**
 * What the material makes trusted.
 * @throws {EngineError} if the texts can't be read, don't belong together, are weak, or are not valid now
 */
export function assertUsableTls(tls: TlsConfig, nowMs: number): Trust {
  const [server] = readCertificates(tls.cert, "security.serverCert");
  const trust = readTrust(tls.ca, tls.crl);
  if (!server!.checkPrivateKey(readKey(tls.key))) fail("security.serverKey is not the key of security.serverCert");
  assertUsable(server!, "security.serverCert", nowMs, RENEW);
  assertServerCertificate(server!);
  for (const { certificate } of trust.authorities) {
    if (!isAuthority(certificate)) fail("security.caCert is not the certificate of a CA");
    assertUsable(certificate, "security.caCert", nowMs, RENEW_CA);
  }
  const isFrom = (ca: X509Certificate) => server!.checkIssued(ca) && server!.verify(ca.publicKey);
  if (!trust.authorities.some(({ certificate }) => isFrom(certificate))) {
    fail(`security.serverCert was not issued by security.caCert; ${RENEW}`);
  }
  return trust;
}

function assertServerCertificate(certificate: X509Certificate): void {
  const purposes = readable(() => {
    const usage = readExtensions(certificate.raw).get(OID_EXTENDED_KEY_USAGE);
    return usage === undefined ? [] : readOidSequence(usage);
  }, "security.serverCert");
  if (certificate.ca) fail(`security.serverCert is the certificate of a CA, not a server's; ${RENEW}`);
  if (!purposes.includes(OID_SERVER_AUTH)) {
    fail(`security.serverCert does not name server authentication as its extended key usage; ${RENEW}`);
  }
  if (!certificate.subjectAltName) {
    fail(`security.serverCert has no subject alternative name, so clients refuse it; ${RENEW}`);
  }
}

function isAuthority(certificate: X509Certificate): boolean {
  const usage = readable(() => readExtensions(certificate.raw).get(OID_KEY_USAGE), "security.caCert");
  return certificate.ca && (usage === undefined || (readKeyUsage(usage) & KEY_CERT_SIGN) !== 0);
}

function assertUsable(certificate: X509Certificate, key: string, nowMs: number, cure: string): void {
  const hash = WEAK_SIGNATURES.get(readable(() => readSignatureAlgorithm(certificate.raw), key));
  const weakness = hash === undefined ? weaknessOf(certificate) : `it is signed with ${hash}`;
  if (weakness !== undefined) fail(`${key} is too weak: ${weakness}; ${cure}`);
  if (nowMs > certificate.validToDate.getTime()) {
    fail(`${key} expired on ${certificate.validToDate.toISOString()}; ${cure}`);
  }
  if (nowMs < certificate.validFromDate.getTime()) {
    fail(`${key} is not valid before ${certificate.validFromDate.toISOString()}; check this host's clock`);
  }
}

function weaknessOf({ publicKey }: X509Certificate): string | undefined {
  const { modulusLength = 0, namedCurve = "" } = publicKey.asymmetricKeyDetails ?? {};
  switch (publicKey.asymmetricKeyType) {
    case "rsa":
    case "rsa-pss":
      return modulusLength < MIN_RSA_BITS
        ? `its RSA key has ${modulusLength} bits, ${MIN_RSA_BITS} are wanted`
        : undefined;
    case "ec":
      return STRONG_CURVES.has(namedCurve)
        ? undefined
        : `its key is on the curve ${namedCurve}, P-256 or more is wanted`;
    case "ed25519":
      return undefined;
    default:
      return `its key is of the kind ${publicKey.asymmetricKeyType}, ECDSA, RSA or Ed25519 is wanted`;
  }
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    return fail("security.serverKey can't be read as a private key", cause);
  }
}

function readable<T>(read: () => T, key: string): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause;
    return fail(`${key} can't be read as a certificate`, cause);
  }
}

function fail(reason: string, cause?: unknown): never {
  throw new EngineError("precondition", `Cannot use the server's certificates: ${reason}`, { cause });
}
