/** Certificates for tests: right ones and wrong ones. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { ROLE_EXTENSION_OID } from "../auth/role.ts";
import type { TlsConfig } from "../config/tls_config.ts";
import {
  type Authority,
  createAuthority,
  createClientCertificate,
  createServerCertificate,
  type KeyPairPem,
} from "../certs/x509.ts";

/** A CA with a server's certificate, made once a test file. */
export interface TestAuthority {
  readonly ca: Authority;
  readonly tls: TlsConfig;
}

export async function createTestAuthority(): Promise<TestAuthority> {
  const ca = await createAuthority("test CA", 2);
  const server = await createServerCertificate(ca, { dns: ["joblet", "localhost"], ip: ["127.0.0.1", "::1"] }, 1);
  return { ca, tls: { cert: server.cert, key: server.key, ca: ca.cert } };
}

export interface CustomOptions {
  readonly subject?: x509.JsonName;
  readonly usages?: readonly string[];
  readonly isCa?: boolean;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly extensions?: readonly x509.Extension[];
  /** @default a new P-256 pair */
  readonly keys?: CryptoKeyPair;
}

/** A certificate with whatever is wrong about it. */
export async function createCustomCertificate(ca: Authority, options: CustomOptions): Promise<KeyPairPem> {
  const ecdsa = { name: "ECDSA", namedCurve: "P-256" };
  const keys = options.keys ?? await crypto.subtle.generateKey(ecdsa, true, ["sign", "verify"]);
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: "4a01",
    subject: options.subject ?? [{ OU: ["admin"] }, { CN: ["mallory"] }],
    issuer: ca.certificate.subjectName.toJSON(),
    notBefore: options.notBefore ?? new Date(now - 60_000),
    notAfter: options.notAfter ?? new Date(now + 3_600_000),
    publicKey: keys.publicKey,
    signingKey: ca.signingKey,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    extensions: [
      new x509.BasicConstraintsExtension(options.isCa ?? false, undefined, true),
      ...(options.usages?.length ? [new x509.ExtendedKeyUsageExtension([...options.usages])] : []),
      ...(options.extensions ?? []),
    ],
  });
  return {
    cert: certificate.toString("pem"),
    key: x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY"),
    notAfter: certificate.notAfter,
  };
}

/** The extension that carries a role. @param role of at most 127 bytes */
export function roleExtension(role: string): x509.Extension {
  const bytes = new TextEncoder().encode(role);
  return new x509.Extension(ROLE_EXTENSION_OID, false, new Uint8Array([0x0c, bytes.length, ...bytes]));
}

export { createClientCertificate };
export const CLIENT_AUTH = x509.ExtendedKeyUsage.clientAuth as string;
export const SERVER_AUTH = x509.ExtendedKeyUsage.serverAuth as string;
