/** The section `security` of the configuration: PEM texts, or the files that hold them. */
import * as v from "valibot";
import { EngineError } from "../../core/errors.ts";
import { readFileAt, readPrivateFile } from "./private_file.ts";

/** PEM texts of the server. */
export interface TlsConfig {
  /** The server's certificate, others of its chain after it. */
  readonly cert: string;
  readonly key: string;
  /** Sign the clients' certificates: one CA, or several while they are exchanged. */
  readonly ca: string;
  /** Revocation lists of the CAs. Absent: nothing is revoked. */
  readonly crl?: string;
}

/** Those of TLS 1.3; joblet's own client settles on the first. */
export const CIPHER_SUITES = [
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "TLS_AES_128_GCM_SHA256",
] as const;

/** What the section says, and which files it was read from besides the configuration itself. */
export interface TlsSettings {
  readonly tls: TlsConfig;
  /** Absolute paths, of a revocation list that may come to be too. */
  readonly tlsFiles: readonly string[];
}

const CERTIFICATE = { label: /^-----BEGIN CERTIFICATE-----$/m, what: "a certificate" };
const PRIVATE_KEY = { label: /^-----BEGIN (EC )?PRIVATE KEY-----$/m, what: "a private key" };
const REVOCATION_LIST = { label: /^-----BEGIN X509 CRL-----$/m, what: "a revocation list" };

type Kind = typeof CERTIFICATE;

/** A path has one line; whatever has more, or a PEM label, must be the right PEM text. */
const pemOrPath = ({ label, what }: Kind) =>
  v.pipe(
    v.string("must be a text"),
    v.check(
      (text) => label.test(text) || isPath(text),
      `must be the PEM text of ${what}, or the path of a file with one`,
    ),
  );

function isPath(text: string): boolean {
  return text !== "" && !/[\n\0]|-----BEGIN/.test(text);
}

export const SecuritySection = v.strictObject({
  serverCert: pemOrPath(CERTIFICATE),
  serverKey: pemOrPath(PRIVATE_KEY),
  caCert: pemOrPath(CERTIFICATE),
  crl: v.optional(pemOrPath(REVOCATION_LIST)),
  cipherSuites: v.optional(
    v.pipe(
      v.array(v.picklist(CIPHER_SUITES, `must be a list of ${CIPHER_SUITES.join(", ")}`), "must be a list"),
      v.check(
        (list) => list.includes(CIPHER_SUITES[0]),
        `must name ${CIPHER_SUITES[0]}, which joblet's own client uses`,
      ),
    ),
    CIPHER_SUITES,
  ),
});

/** Where revocation lists are if the configuration does not say: `<config>/crl.pem`. */
export function defaultCrlPath(folder: string): string {
  return `${folder}/crl.pem`;
}

/**
 * Reads what the section names. @param folder that of the configuration file: relative paths start there
 * @throws {EngineError} for a file that is missing or holds something else, and for a key that others may read
 */
export function readTlsSettings(section: v.InferOutput<typeof SecuritySection>, folder: string): TlsSettings {
  const tlsFiles: string[] = [];
  const read = (value: string, kind: Kind, reader: (path: string) => string): string => {
    if (!isPath(value)) return value;
    const path = pathOf(value, folder);
    tlsFiles.push(path);
    const text = reader(path);
    if (kind.label.test(text)) return text;
    throw new EngineError("invalid", `Cannot use ${path}: it must be the PEM text of ${kind.what}`);
  };
  const named = (key: string) => `check security.${key} in joblet-config.yml`;
  const open = (key: string) => (path: string) => readFileAt(path, named(key));
  const cert = read(section.serverCert, CERTIFICATE, open("serverCert"));
  const key = read(section.serverKey, PRIVATE_KEY, (path) => readPrivateFile(path, named("serverKey")));
  const ca = read(section.caCert, CERTIFICATE, open("caCert"));
  if (section.crl !== undefined) {
    return { tls: { cert, key, ca, crl: read(section.crl, REVOCATION_LIST, open("crl")) }, tlsFiles };
  }
  const path = defaultCrlPath(folder);
  tlsFiles.push(path);
  try {
    return { tls: { cert, key, ca, crl: readFileAt(path, named("crl")) }, tlsFiles };
  } catch (error) {
    if (error instanceof EngineError && error.kind === "not_found") return { tls: { cert, key, ca }, tlsFiles };
    throw error;
  }
}

/** The file that a value of the section names, or undefined for a PEM text. */
export function fileOf(value: string, folder: string): string | undefined {
  return isPath(value) ? pathOf(value, folder) : undefined;
}

function pathOf(value: string, folder: string): string {
  return value.startsWith("/") ? value : `${folder}/${value}`;
}
