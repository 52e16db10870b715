/** From a verified client certificate to who is calling and with which role; nothing else is ever asked. */
import { DerError } from "../../core/values/der.ts";
import { readExtensions, readIsCa, readOidSequence, readUtf8String } from "./der.ts";
import {
  NO_ROLE_MAP,
  parseRole,
  type Role,
  ROLE_EXTENSION_OID,
  type RoleMap,
  type RoleSource,
  strongestRole,
} from "./role.ts";

/** Who is calling. */
export interface Identity {
  /** Common name of the certificate; jobs belong to it. */
  readonly name: string;
  readonly role: Role;
  /** Serial number of the certificate, in upper-case hexadecimal digits. */
  readonly serial: string;
  /** When the certificate ends: a connection may outlive it. */
  readonly expiresAtMs: number;
}

/** The caller is unknown ("unauthenticated"), or known and has no role ("denied"). */
export class AuthError extends Error {
  override readonly name = "AuthError";
  /** What the refused certificate says of its owner, for records; never a reason to let anybody in. */
  claimed: { readonly name?: string; readonly serial?: string } = {};

  constructor(readonly kind: "unauthenticated" | "denied", message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * What the TLS stack tells of a verified certificate (`getPeerCertificate`). The subject must come parsed: the text form
 * of X509Certificate.subject has a line for each attribute, and a common name with a newline forges one.
 */
export interface PeerCertificate {
  readonly subject: {
    readonly CN?: string | readonly string[];
    readonly OU?: string | readonly string[];
    readonly O?: string | readonly string[];
  };
  readonly raw: Uint8Array;
  readonly valid_to: string;
  readonly serialNumber: string;
}

const OID_BASIC_CONSTRAINTS = "2.5.29.19";
const OID_EXTENDED_KEY_USAGE = "2.5.29.37";
const OID_CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/;

/** Whether the text can name a caller: in logs, file names and tables it needs no quoting. */
export function isSafeName(name: string): boolean {
  return SAFE_NAME.test(name);
}

/** The caller that this certificate stands for. @param sources where it may carry a role @throws {AuthError} */
export function identify(
  certificate: PeerCertificate,
  sources: readonly RoleSource[],
  roles: RoleMap = NO_ROLE_MAP,
): Identity {
  try {
    return identifyVerified(certificate, sources, roles);
  } catch (error) {
    if (error instanceof AuthError) error.claimed = claimOf(certificate);
    throw error;
  }
}

function claimOf(certificate: PeerCertificate): AuthError["claimed"] {
  const [name, ...others] = valuesOf(certificate, "CN");
  const isName = name !== undefined && others.length === 0 && isSafeName(name);
  return { serial: certificate.serialNumber.toUpperCase(), ...(isName && { name }) };
}

function identifyVerified(certificate: PeerCertificate, sources: readonly RoleSource[], roles: RoleMap): Identity {
  const extensions = extensionsOf(certificate);
  assertClientCertificate(extensions);
  const [name, ...others] = valuesOf(certificate, "CN");
  if (name === undefined || others.length > 0 || !isSafeName(name)) {
    throw new AuthError(
      "unauthenticated",
      "Cannot take a name from the client certificate: it needs one common name of at most 64 letters, digits and . _ @ + -",
    );
  }
  const expiresAtMs = Date.parse(certificate.valid_to);
  if (Number.isNaN(expiresAtMs)) {
    throw new AuthError("unauthenticated", "Cannot read the end of the client certificate's validity");
  }
  const serial = certificate.serialNumber.toUpperCase();
  const role = roles.byName.get(name) ?? roleOf(certificate, extensions, sources) ?? roles.standard;
  if (role === undefined) throw new AuthError("denied", withoutRole(name, sources));
  return { name, role, serial, expiresAtMs };
}

/** @throws {AuthError} when the certificate has ended since its connection was made */
export function assertStillValid(identity: Identity, nowMs: number): void {
  if (nowMs > identity.expiresAtMs) {
    const { name, serial } = identity;
    const error = new AuthError("unauthenticated", `Cannot accept the client certificate of '${name}': it has expired`);
    error.claimed = { name, serial };
    throw error;
  }
}

function extensionsOf(certificate: PeerCertificate): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  try {
    return readExtensions(certificate.raw);
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause;
    throw new AuthError("unauthenticated", "Cannot read the client certificate", { cause });
  }
}

/** The TLS stack lets certificates without any extended key usage pass, and asks no leaf whether it is a CA. */
function assertClientCertificate(extensions: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): void {
  const usage = extensions.get(OID_EXTENDED_KEY_USAGE);
  const constraints = extensions.get(OID_BASIC_CONSTRAINTS);
  let purposes: readonly string[];
  let isCa: boolean;
  try {
    purposes = usage === undefined ? [] : readOidSequence(usage);
    isCa = constraints !== undefined && readIsCa(constraints);
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause;
    throw new AuthError("unauthenticated", "Cannot read the client certificate", { cause });
  }
  if (isCa) throw new AuthError("unauthenticated", "Cannot accept the certificate of a CA as a client's");
  if (!purposes.includes(OID_CLIENT_AUTH)) {
    throw new AuthError(
      "unauthenticated",
      "Cannot accept the client certificate: its extended key usage must name client authentication",
    );
  }
}

/** The role that the certificate carries. Several roles in one attribute add up; attributes that disagree cancel each other, as one of them must be wrong. */
function roleOf(
  certificate: PeerCertificate,
  extensions: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  sources: readonly RoleSource[],
): Role | undefined {
  const found = new Set<Role>();
  for (const source of sources) {
    const values = source === "extension" ? extensionValues(extensions) : valuesOf(certificate, source);
    const role = strongestRole(values.map(parseRole).filter((value) => value !== undefined));
    if (role !== undefined) found.add(role);
  }
  const [role, ...others] = found;
  if (others.length > 0) {
    throw new AuthError(
      "denied",
      `Cannot tell the role of the client certificate: it says ${[...found].join(" and ")}`,
    );
  }
  return role;
}

function withoutRole(name: string, sources: readonly RoleSource[]): string {
  if (sources.length === 0) {
    return `Cannot find a role for '${name}': auth.roles of the server's configuration names none`;
  }
  return `Cannot find a role in the client certificate: ${sources.join(", ")} must name one`;
}

function extensionValues(extensions: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): string[] {
  const value = extensions.get(ROLE_EXTENSION_OID);
  if (value === undefined) return [];
  try {
    return [readUtf8String(value)];
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause;
    throw new AuthError("denied", "Cannot read the role extension of the client certificate", { cause });
  }
}

/** An attribute given several times arrives as an array, once as a string. */
function valuesOf(certificate: PeerCertificate, attribute: "CN" | "OU" | "O"): readonly string[] {
  const value = certificate.subject[attribute];
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}
