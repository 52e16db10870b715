/** `joblet certs revoke`: certificates that the server refuses from now on, in a list that other programs understand. */
import { EngineError } from "../../core/errors.ts";
import type { Home } from "../../core/values/home.ts";
import { normalizeSerial } from "../auth/revocation_list.ts";
import { readTrust } from "../auth/trust.ts";
import { loadServerConfig } from "../config/config.ts";
import { type Authorities, bundleOf, loadAuthorities, lockFolder } from "./authority_files.ts";
import { type CertificateRecord, isValid, readRegistry, serialOf, writeRegistry } from "./registry.ts";
import { writeServerMaterial } from "./server_files.ts";
import { type Authority, createRevocationList } from "./x509.ts";

export interface RevokeOptions {
  readonly home: Home;
  /** A client: all of its certificates. */
  readonly name?: string;
  /** One certificate, hexadecimal digits. */
  readonly serial?: string;
}

export interface Revoked {
  readonly files: readonly string[];
  readonly certificates: readonly CertificateRecord[];
}

/** Writes the revocation list anew, with these certificates on it. @throws {EngineError} if there is none to revoke */
export async function revokeCertificates(options: RevokeOptions): Promise<Revoked> {
  const { home, name, serial } = options;
  using _lock = await lockFolder(home);
  const authorities = await loadAuthorities(home);
  const records = readRegistry(home);
  const chosen = serial === undefined
    ? records.filter((record) => record.kind === "client" && record.name === name && isValid(record))
    : [bySerial(records, authorities.current, serial)];
  if (chosen.length === 0) {
    throw new EngineError("not_found", `Cannot revoke '${name}': it has no valid certificate; see 'joblet certs list'`);
  }
  const revokedAt = new Date().toISOString();
  const certificates = chosen.map((record) => ({ ...record, revokedAt }));
  const now = records.map((record) => certificates[chosen.indexOf(record)] ?? record);
  now.push(...certificates.filter((_, index) => !records.includes(chosen[index]!)));
  // The list first: it is what counts. A record that is missing then is made good by the same command.
  const files = await writeRevocations(home, authorities, now);
  await writeRegistry(home, now);
  return { files, certificates };
}

/** A certificate without a record, from before there were any, can be revoked too: the server's log tells its serial. */
function bySerial(records: readonly CertificateRecord[], ca: Authority, text: string): CertificateRecord {
  if (!/^[0-9A-Fa-f]{1,40}$/.test(text)) {
    throw new EngineError("invalid", `Cannot revoke '${text}': a serial number has 1 to 40 hexadecimal digits`);
  }
  const serial = normalizeSerial(text);
  const record = records.find((record) => record.serial === serial);
  if (record?.kind === "ca") {
    throw new EngineError("invalid", `Cannot revoke the CA ${serial}: exchange it with 'joblet certs rotate-ca'`);
  }
  if (record) return record;
  const [notBefore, notAfter] = [ca.certificate.notBefore, ca.certificate.notAfter].map((date) => date.toISOString());
  return {
    kind: "client",
    name: "",
    serial,
    issuer: serialOf(ca.cert),
    notBefore: notBefore!,
    notAfter: notAfter!,
  };
}

/**
 * One list for each CA that is trusted, if anything is or was revoked. What the lists hold already and no record knows
 * stays on them. @returns the files that were written
 */
export async function writeRevocations(
  home: Home,
  authorities: Omit<Authorities, "phase">,
  records: readonly CertificateRecord[],
): Promise<string[]> {
  const { crl } = loadServerConfig(home).tls;
  const revoked = records.filter(({ revokedAt }) => revokedAt !== undefined);
  if (crl === undefined && revoked.length === 0) return [];
  const listed = readTrust(bundleOf(authorities), isFor(authorities, crl) ? crl : undefined).authorities;
  const lists: string[] = [];
  for (const ca of [authorities.current, authorities.other]) {
    if (ca === undefined) continue;
    const issuer = serialOf(ca.cert);
    const dates = new Map<string, Date>();
    const before = listed.find(({ certificate }) => normalizeSerial(certificate.serialNumber) === issuer)?.revoked;
    for (const serial of before ?? []) dates.set(serial, new Date());
    for (const record of revoked) {
      if (record.issuer === issuer) dates.set(record.serial, new Date(record.revokedAt ?? Date.now()));
    }
    lists.push(await createRevocationList(ca, [...dates].map(([serial, date]) => ({ serial, date }))));
  }
  return await writeServerMaterial(home, { crl: lists.join("") });
}

/** Whether a list is there and one of these CAs has signed it: one of an earlier CA has nothing to keep. */
function isFor(authorities: Omit<Authorities, "phase">, crl: string | undefined): boolean {
  if (crl === undefined) return false;
  try {
    readTrust(bundleOf(authorities), crl);
    return true;
  } catch (error) {
    if (error instanceof EngineError) return false;
    throw error;
  }
}
