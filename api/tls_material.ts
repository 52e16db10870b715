/** Checks the server's own certificates before it opens a port, so that a wrong one has a message of its own. */
import { X509Certificate } from "node:crypto";
import { createPrivateKey, type KeyObject } from "node:crypto";
import { EngineError } from "../core/errors.ts";
import type { TlsConfig } from "./config.ts";

/** @throws {EngineError} if the texts can't be read, don't belong together, or are not valid now */
export function assertUsableTls(tls: TlsConfig, nowMs: number): void {
  const server = readCertificate(tls.cert, "security.serverCert");
  const ca = readCertificate(tls.ca, "security.caCert");
  if (!server.checkPrivateKey(readKey(tls.key))) fail("security.serverKey is not the key of security.serverCert");
  if (!ca.ca) fail("security.caCert is not the certificate of a CA");
  if (!server.checkIssued(ca)) fail("security.serverCert was not issued by security.caCert");
  assertValidNow(server, "security.serverCert", nowMs);
  assertValidNow(ca, "security.caCert", nowMs);
}

function assertValidNow(certificate: X509Certificate, key: string, nowMs: number): void {
  if (nowMs > Date.parse(certificate.validTo)) {
    fail(`${key} expired on ${certificate.validTo}; run 'joblet certs init --force' to renew it`);
  }
  if (nowMs < Date.parse(certificate.validFrom)) {
    fail(`${key} is not valid before ${certificate.validFrom}; check this host's clock`);
  }
}

function readCertificate(pem: string, key: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    return fail(`${key} can't be read as a certificate`, cause);
  }
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    return fail("security.serverKey can't be read as a private key", cause);
  }
}

function fail(reason: string, cause?: unknown): never {
  throw new EngineError("precondition", `Cannot use the server's certificates: ${reason}`, { cause });
}
