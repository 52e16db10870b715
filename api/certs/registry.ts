/** Which certificates were issued: `certificates.json` in the config folder. Without it nobody could revoke them. */
import * as v from "valibot";
import { X509Certificate } from "node:crypto";
import { YAMLException } from "js-yaml";
import { parse } from "@std/yaml";
import { EngineError } from "../../core/errors.ts";
import { decodePem } from "../../core/values/certificate.ts";
import type { Home } from "../../core/values/home.ts";
import { AuthError, identify } from "../auth/identity.ts";
import { normalizeSerial } from "../auth/revocation_list.ts";
import { type Role, ROLE_SOURCES } from "../auth/role.ts";
import { loadServerConfig } from "../config/config.ts";
import { readPrivateFile, writePrivateFile } from "../config/private_file.ts";

/** Ended certificates are forgotten after this long. */
const FORGET_AFTER_MS = 90 * 86_400_000;

const iso = v.pipe(v.string(), v.isoTimestamp());

const RecordSchema = v.object({
  kind: v.picklist(["ca", "server", "client"]),
  /** Common name; "" for a certificate of which only the serial number is known. */
  name: v.string(),
  /** Of clients. */
  role: v.optional(v.picklist(["admin", "user", "viewer"])),
  /** Upper-case hexadecimal digits. */
  serial: v.string(),
  /** Serial number of the CA. */
  issuer: v.string(),
  notBefore: iso,
  notAfter: iso,
  revokedAt: v.optional(iso),
  /** Of CAs: when the server stopped trusting it. */
  retiredAt: v.optional(iso),
  /** The YAML file that was written, absolute. */
  file: v.optional(v.string()),
  /** The folder that the PEM files were written to, absolute. */
  pemFolder: v.optional(v.string()),
});

export type CertificateRecord = Readonly<v.InferOutput<typeof RecordSchema>>;

const RegistrySchema = v.object({ version: v.literal(1), certificates: v.array(RecordSchema) });

function registryPath(home: Home): string {
  return `${home.config}/certificates.json`;
}

/**
 * All records, oldest first. A home without the file gets those of the certificates that lie in its config folder.
 * @throws {EngineError} if the file can't be read
 */
export function readRegistry(home: Home): CertificateRecord[] {
  const path = registryPath(home);
  let text: string;
  try {
    text = readPrivateFile(path);
  } catch (error) {
    if (error instanceof EngineError && error.kind === "not_found") return adoptCertificates(home);
    throw error;
  }
  try {
    return v.parse(RegistrySchema, JSON.parse(text)).certificates;
  } catch (cause) {
    throw new EngineError("precondition", `Cannot read ${path}: it is damaged; restore it from a backup`, { cause });
  }
}

/** Writes all records, without those that ended long ago. The caller holds the folder's lock. */
export async function writeRegistry(home: Home, records: readonly CertificateRecord[]): Promise<void> {
  const since = Date.now() - FORGET_AFTER_MS;
  const certificates = records.filter(({ notAfter }) => Date.parse(notAfter) > since);
  await writePrivateFile(registryPath(home), `${JSON.stringify({ version: 1, certificates }, null, 2)}\n`);
}

/** Whether a certificate could be used now. */
export function isValid({ notAfter, revokedAt, retiredAt }: CertificateRecord): boolean {
  return revokedAt === undefined && retiredAt === undefined && Date.parse(notAfter) > Date.now();
}

/** The record of a certificate. @param pem the first certificate counts */
export function recordOf(
  pem: string,
  what: Pick<CertificateRecord, "kind" | "issuer"> & { readonly role?: Role; file?: string; pemFolder?: string },
): CertificateRecord {
  const certificate = new X509Certificate(pem);
  const names = certificate.toLegacyObject().subject.CN;
  return {
    ...what,
    name: (typeof names === "string" ? names : names?.[0]) ?? "",
    serial: normalizeSerial(certificate.serialNumber),
    notBefore: certificate.validFromDate.toISOString(),
    notAfter: certificate.validToDate.toISOString(),
  };
}

/** Serial number of a CA, as records name their issuer. */
export function serialOf(pem: string): string {
  return normalizeSerial(new X509Certificate(pem).serialNumber);
}

/** The certificates that lie in the config folder; what can't be read there is nobody's. */
function adoptCertificates(home: Home): CertificateRecord[] {
  const ca = unlessWrong(() => readPrivateFile(`${home.config}/ca.pem`));
  if (ca === undefined) return [];
  const issuer = serialOf(ca);
  const records = [recordOf(ca, { kind: "ca", issuer })];
  const server = unlessWrong(() => loadServerConfig(home).tls.cert);
  if (server !== undefined) records.push(recordOf(server, { kind: "server", issuer }));
  const names = [...Deno.readDirSync(home.config)].map(({ name }) => name);
  for (const name of names.filter((name) => /^rnx-config.*\.yml$/.test(name)).sort()) {
    const file = `${home.config}/${name}`;
    const parsed = v.safeParse(ClientFileSchema, unlessWrong(() => parse(readPrivateFile(file))));
    const cert = parsed.success ? Object.values(parsed.output.nodes)[0]?.cert : undefined;
    const role = cert === undefined ? undefined : roleIn(cert);
    if (cert && role) records.push(recordOf(cert, { kind: "client", issuer, role, file }));
  }
  return records;
}

const ClientFileSchema = v.object({ nodes: v.record(v.string(), v.object({ cert: v.string() })) });

/** Undefined where a file is missing or can't be used. */
function unlessWrong<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof EngineError || error instanceof YAMLException) return undefined;
    throw error;
  }
}

/** The role that the server would find; undefined if it would let nobody in with it. */
function roleIn(pem: string): Role | undefined {
  if (decodePem(pem, "CERTIFICATE").length === 0) return undefined;
  const certificate = new X509Certificate(pem);
  const { subject } = certificate.toLegacyObject();
  try {
    const { raw, serialNumber, validTo } = certificate;
    return identify({ subject, raw, serialNumber, valid_to: validTo }, ROLE_SOURCES).role;
  } catch (error) {
    if (error instanceof AuthError) return undefined;
    throw error;
  }
}
