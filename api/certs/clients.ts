/** `joblet certs client` and `certs renew`: certificates for callers and for the server, each with a record. */
import { EngineError } from "../../core/errors.ts";
import type { Home } from "../../core/values/home.ts";
import { isSafeName } from "../auth/identity.ts";
import { parseRole, type Role, ROLE_NAMES } from "../auth/role.ts";
import { loadServerConfig } from "../config/config.ts";
import { type Authorities, bundleOf, loadAuthorities, lockFolder } from "./authority_files.ts";
import { clientConfigPath, type ClientPlaces, writeClient } from "./client_files.ts";
import { type CertificateRecord, readRegistry, recordOf, serialOf, writeRegistry } from "./registry.ts";
import { writeServerMaterial } from "./server_files.ts";
import { createClientCertificate, createServerCertificate, serverNamesOf } from "./x509.ts";

/** A client's certificate is handed around, and a server's is not. */
export const CLIENT_DAYS = 90;
export const SERVER_DAYS = 365;
/** X.509 has no greater year than 9999. */
const MAX_DAYS = 2_900_000;

/** What was made. */
export interface Issued {
  readonly files: readonly string[];
  readonly notAfter: Date;
}

export interface IssueOptions {
  readonly home: Home;
  /** Name of the caller: at most 64 letters, digits and . _ @ + - */
  readonly name: string;
  /** admin, user or viewer; reader and readonly mean viewer. */
  readonly role: string;
  /** @default {90} */
  readonly days?: number;
  /** rnx-config.yml to write. @default {"<config>/rnx-config-<name>.yml"}, or none if there is a pemFolder */
  readonly out?: string;
  /** Folder to write NAME.pem, NAME.key and ca.pem to. */
  readonly pemFolder?: string;
}

/** Makes a certificate for a caller and writes it where asked. @throws {EngineError} */
export async function issueClient(options: IssueOptions): Promise<Issued> {
  const { home, name, days = CLIENT_DAYS, out, pemFolder } = options;
  assertDays(days);
  if (!isSafeName(name)) {
    throw new EngineError(
      "invalid",
      `Cannot use the name ${
        JSON.stringify(name)
      }: it must be 1 to 64 letters, digits and . _ @ + -, the first a letter or digit`,
    );
  }
  const role = roleNamed(options.role);
  const file = out ?? (pemFolder === undefined ? `${home.config}/rnx-config-${name}.yml` : undefined);
  const places = { ...(file !== undefined && { file }), ...(pemFolder !== undefined && { pemFolder }) };
  using _lock = await lockFolder(home);
  return await issue(home, await loadAuthorities(home), { name, role, days, places: absolute(places) });
}

interface Wanted {
  readonly name: string;
  readonly role: Role;
  readonly days: number;
  readonly places: ClientPlaces;
}

/** Makes, records and writes a client's certificate. The caller holds the folder's lock. */
export async function issue(home: Home, authorities: Authorities, wanted: Wanted): Promise<Issued> {
  const { name, role, days, places } = wanted;
  const client = await createClientCertificate(authorities.current, name, role, days);
  const record = recordOf(client.cert, { kind: "client", role, issuer: serialOf(authorities.current.cert), ...places });
  const files = await recorded(home, record, () => writeClient(home, name, places, client, bundleOf(authorities)));
  return { files, notAfter: client.notAfter };
}

export interface RenewOptions {
  readonly home: Home;
  /** @default {90}, and for the server 365 */
  readonly days?: number;
  /** rnx-config.yml to write. @default the files that were written before */
  readonly out?: string;
}

/** The same name and role with a new key and new dates. @throws {EngineError} if the name has no record */
export async function renewClient(options: RenewOptions & { readonly name: string }): Promise<Issued> {
  const { home, name, days = CLIENT_DAYS, out } = options;
  assertDays(days);
  using _lock = await lockFolder(home);
  const authorities = await loadAuthorities(home);
  const records = readRegistry(home).filter((record) => record.kind === "client" && record.name === name);
  const last = records.findLast(({ revokedAt }) => revokedAt === undefined);
  if (last?.role === undefined) {
    const why = records.length === 0 ? "no certificate of this name was issued here" : "its certificates are revoked";
    throw new EngineError(
      "not_found",
      `Cannot renew '${name}': ${why}; make one with 'joblet certs client ${name} --role ROLE'`,
    );
  }
  const places = out === undefined ? placesOf(home, last) : absolute({ file: out });
  return await issue(home, authorities, { name, role: last.role, days, places });
}

/** The server's certificate anew, for the same host names, where the configuration has it. @throws {EngineError} */
export async function renewServer(options: Omit<RenewOptions, "out">): Promise<Issued> {
  const { home, days = SERVER_DAYS } = options;
  assertDays(days);
  using _lock = await lockFolder(home);
  return await issueServer(home, await loadAuthorities(home), days);
}

/** Makes, records and writes the server's certificate. The caller holds the folder's lock. */
export async function issueServer(home: Home, authorities: Authorities, days: number): Promise<Issued> {
  const names = await serverNamesOf(loadServerConfig(home).tls.cert);
  const { cert, key, notAfter } = await createServerCertificate(authorities.current, names, days);
  const record = recordOf(cert, { kind: "server", issuer: serialOf(authorities.current.cert) });
  const material = { serverCert: cert, serverKey: key, caCert: bundleOf(authorities) };
  return { files: await recorded(home, record, () => writeServerMaterial(home, material)), notAfter };
}

/** Records first, so that no certificate is at large that can't be revoked; one that was not written is forgotten. */
async function recorded<T>(home: Home, record: CertificateRecord, write: () => Promise<T>): Promise<T> {
  const records = readRegistry(home);
  await writeRegistry(home, [...records, record]);
  try {
    return await write();
  } catch (error) {
    await writeRegistry(home, records);
    throw error;
  }
}

function placesOf(home: Home, { name, file, pemFolder }: CertificateRecord): ClientPlaces {
  if (pemFolder !== undefined) return { pemFolder, ...(file !== undefined && { file }) };
  return { file: file ?? (name === "admin" ? clientConfigPath(home) : `${home.config}/rnx-config-${name}.yml`) };
}

function absolute(places: ClientPlaces): ClientPlaces {
  const whole = (path: string) => path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  return {
    ...(places.file !== undefined && { file: whole(places.file) }),
    ...(places.pemFolder !== undefined && { pemFolder: whole(places.pemFolder).replace(/\/+$/, "") }),
  };
}

function roleNamed(text: string): Role {
  const role = parseRole(text);
  if (role === undefined) {
    throw new EngineError("invalid", `Cannot give role '${text}': it must be one of ${ROLE_NAMES.join(", ")}`);
  }
  return role;
}

/** @throws {EngineError} for a life that no certificate can have */
export function assertDays(days: number): void {
  if (!Number.isInteger(days) || days < 1 || days > MAX_DAYS) {
    throw new EngineError("invalid", `Cannot make a certificate for '${days}' days: it must be 1 to ${MAX_DAYS}`);
  }
}
