/**
 * Makes ECDSA P-256 certificates. The library behind it costs 90 ms to load, so it is loaded at the first use and never by
 * importing this file.
 */
import type { Extension, JsonName, X509Certificate } from "@peculiar/x509";
import { EngineError } from "../../core/errors.ts";
import { type Role, ROLE_EXTENSION_OID } from "../auth/role.ts";

type Library = typeof import("@peculiar/x509");

const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNING_ALGORITHM = { name: "ECDSA", hash: "SHA-256" } as const;
const DAY_MS = 24 * 60 * 60 * 1000;
/** Clocks of clients may be a little behind. */
const BACKDATE_MS = 5 * 60 * 1000;

/** A certificate and its private key (PKCS #8), as PEM. */
export interface KeyPairPem {
  readonly cert: string;
  readonly key: string;
  readonly notAfter: Date;
}

/** What signs. */
export interface Authority extends KeyPairPem {
  readonly certificate: X509Certificate;
  readonly signingKey: CryptoKey;
}

/** Where a server can be found. */
export interface ServerNames {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
}

async function loadLibrary(): Promise<Library> {
  // Must come first: the library needs it while it is loading.
  await import("reflect-metadata");
  return await import("@peculiar/x509");
}

/** Makes a new CA. Its certificates may sign end certificates only. */
export async function createAuthority(commonName: string, days: number): Promise<Authority> {
  const x509 = await loadLibrary();
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerialNumber(),
    name: [{ CN: [commonName] }],
    ...validity(days),
    keys,
    signingAlgorithm: SIGNING_ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate, signingKey: keys.privateKey, ...await toPem(x509, certificate, keys) };
}

/**
 * Reads a CA back. @param name of its files, for messages
 * @throws {EngineError} if it can't be read, has expired, or certificate and key are not a pair
 */
export async function loadAuthority(cert: string, key: string, name = "ca"): Promise<Authority> {
  const x509 = await loadLibrary();
  const { certificate, signingKey } = await readAuthority(x509, cert, key, name);
  if (!await isPair(certificate, signingKey)) {
    throw new EngineError("precondition", `Cannot use the CA: ${name}.key is not the key of ${name}.pem`);
  }
  if (certificate.notAfter.getTime() <= Date.now()) {
    const end = certificate.notAfter.toISOString();
    throw new EngineError(
      "precondition",
      `Cannot use the CA: ${name}.pem expired on ${end}; remove ${name}.pem and ${name}.key to make a new one`,
    );
  }
  // Of a file with several certificates, the first one is the CA's.
  return { certificate, signingKey, cert: `${certificate.toString("pem")}\n`, key, notAfter: certificate.notAfter };
}

async function readAuthority(x509: Library, cert: string, key: string, name: string) {
  try {
    const certificate = new x509.X509Certificate(x509.PemConverter.decodeFirst(cert));
    const der = x509.PemConverter.decodeFirst(key);
    return { certificate, signingKey: await crypto.subtle.importKey("pkcs8", der, KEY_ALGORITHM, false, ["sign"]) };
  } catch (cause) {
    const what = `${name}.pem and ${name}.key must be an ECDSA P-256 pair`;
    throw new EngineError("precondition", `Cannot read the CA: ${what}`, { cause });
  }
}

async function isPair(certificate: X509Certificate, signingKey: CryptoKey): Promise<boolean> {
  const probe = new TextEncoder().encode("joblet");
  const signature = await crypto.subtle.sign(SIGNING_ALGORITHM, signingKey, probe);
  const publicKey = await certificate.publicKey.export(KEY_ALGORITHM, ["verify"]);
  return await crypto.subtle.verify(SIGNING_ALGORITHM, publicKey, signature, probe);
}

/** A certificate that can serve under these names and do nothing else. */
export async function createServerCertificate(ca: Authority, names: ServerNames, days: number): Promise<KeyPairPem> {
  const x509 = await loadLibrary();
  const alternatives = [
    ...names.dns.map((value) => ({ type: "dns" as const, value })),
    ...names.ip.map((value) => ({ type: "ip" as const, value })),
  ];
  return await createLeaf(x509, ca, [{ CN: ["joblet"] }], days, [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension(alternatives),
  ]);
}

/** A certificate for a caller, its role in the role extension, OU and O. */
export async function createClientCertificate(
  ca: Authority,
  name: string,
  role: Role,
  days: number,
): Promise<KeyPairPem> {
  const x509 = await loadLibrary();
  return await createLeaf(x509, ca, [{ O: [role] }, { OU: [role] }, { CN: [name] }], days, [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
    new x509.Extension(ROLE_EXTENSION_OID, false, derUtf8String(role)),
  ]);
}

/** The names that a server's certificate was made for. @throws {EngineError} if it has none */
export async function serverNamesOf(pem: string): Promise<ServerNames> {
  const x509 = await loadLibrary();
  const certificate = new x509.X509Certificate(x509.PemConverter.decodeFirst(pem));
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON() ?? [];
  const of = (wanted: string) => names.filter(({ type }) => type === wanted).map(({ value }) => value);
  return { dns: of("dns"), ip: of("ip") };
}

/** A certificate that a CA takes back. */
export interface Revocation {
  /** Hexadecimal digits. */
  readonly serial: string;
  readonly date: Date;
}

/** A revocation list of one CA, as PEM. It is good as long as the CA: a new one is made when there is more to say. */
export async function createRevocationList(ca: Authority, entries: readonly Revocation[]): Promise<string> {
  const x509 = await loadLibrary();
  const list = await x509.X509CrlGenerator.create({
    issuer: ca.certificate.subjectName.toJSON(),
    thisUpdate: new Date(),
    nextUpdate: ca.certificate.notAfter,
    entries: entries.map(({ serial, date }) => ({ serialNumber: serial, revocationDate: date })),
    extensions: [await x509.AuthorityKeyIdentifierExtension.create(await ca.certificate.publicKey.export())],
    signingAlgorithm: SIGNING_ALGORITHM,
    signingKey: ca.signingKey,
  });
  // The library's own text form has a label that OpenSSL does not know.
  return x509.PemConverter.encode(list.rawData, "X509 CRL") + "\n";
}

async function createLeaf(
  x509: Library,
  ca: Authority,
  subject: JsonName,
  days: number,
  extensions: readonly Extension[],
): Promise<KeyPairPem> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerialNumber(),
    subject,
    issuer: ca.certificate.subjectName.toJSON(),
    ...validity(days, ca.certificate.notAfter),
    publicKey: keys.publicKey,
    signingKey: ca.signingKey,
    signingAlgorithm: SIGNING_ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(await ca.certificate.publicKey.export()),
      ...extensions,
    ],
  });
  return await toPem(x509, certificate, keys);
}

async function newKeys(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);
}

/** Not beyond the end of what signs it: verifiers would refuse it then anyway. */
function validity(days: number, latest?: Date): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  const end = Math.min(now + days * DAY_MS, latest?.getTime() ?? Infinity);
  return { notBefore: new Date(now - BACKDATE_MS), notAfter: new Date(end) };
}

/** 16 random bytes in hex; the first bit is zero and the next one, as DER integers are signed and must not start with 00. */
function newSerialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toHex();
}

/** Role names are short: one length byte is enough. */
function derUtf8String(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(text);
  return new Uint8Array([0x0c, bytes.length, ...bytes]);
}

async function toPem(x509: Library, certificate: X509Certificate, keys: CryptoKeyPair): Promise<KeyPairPem> {
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    cert: certificate.toString("pem") + "\n",
    key: x509.PemConverter.encode(pkcs8, "PRIVATE KEY") + "\n",
    notAfter: certificate.notAfter,
  };
}
