/** From a verified client certificate to who is calling and with which role; nothing else is ever asked. */
import { DerError, readExtensions, readIsCa, readOidSequence, readUtf8String } from "./der.ts";
import { parseRole, type Role, ROLE_EXTENSION_OID, type RoleSource, strongestRole } from "./role.ts";

/** Who is calling. */
export interface Identity {
  /** Common name of the certificate; jobs belong to it. */
  readonly name: string;
  readonly role: Role;
  /** When the certificate ends: a connection may outlive it. */
  readonly expiresAtMs: number;
}

/** The caller is unknown ("unauthenticated"), or known and has no role ("denied"). */
export class AuthError extends Error {
  override readonly name = "AuthError";

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
}

const OID_BASIC_CONSTRAINTS = "2.5.29.19";
const OID_EXTENDED_KEY_USAGE = "2.5.29.37";
const OID_CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/;

/** Whether the text can name a caller: in logs, file names and tables it needs no quoting. */
export function isSafeName(name: string): boolean {
  return SAFE_NAME.test(name);
}

/** The caller that this certificate stands for. @throws {AuthError} */
export function identify(certificate: PeerCertificate, sources: readonly RoleSource[]): Identity {
  const extensions = extensionsOf(certificate);
  assertClientCertificate(extensions);
  const names = valuesOf(certificate, "CN");
  if (names.length !== 1 || !isSafeName(names[0]!)) {
    throw new AuthError(
      "unauthenticated",
      "Cannot take a name from the client certificate: it needs one common name of at most 64 letters, digits and . _ @ + -",
    );
  }
  const expiresAtMs = Date.parse(certificate.valid_to);
  if (Number.isNaN(expiresAtMs)) {
    throw new AuthError("unauthenticated", "Cannot read the end of the client certificate's validity");
  }
  return { name: names[0]!, role: roleOf(certificate, extensions, sources), expiresAtMs };
}

/** @throws {AuthError} when the certificate has ended since its connection was made */
export function assertStillValid(identity: Identity, nowMs: number): void {
  if (nowMs > identity.expiresAtMs) {
    throw new AuthError(
      "unauthenticated",
      `Cannot accept the client certificate of '${identity.name}': it has expired`,
    );
  }
}

function extensionsOf(certificate: PeerCertificate): ReadonlyMap<string, Uint8Array> {
  try {
    return readExtensions(certificate.raw);
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause;
    throw new AuthError("unauthenticated", "Cannot read the client certificate", { cause });
  }
}

/** The TLS stack lets certificates without any extended key usage pass, and asks no leaf whether it is a CA. */
function assertClientCertificate(extensions: ReadonlyMap<string, Uint8Array>): void {
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

/** Several roles in one attribute add up; attributes that disagree cancel each other, as one of them must be wrong. */
function roleOf(
  certificate: PeerCertificate,
  extensions: ReadonlyMap<string, Uint8Array>,
  sources: readonly RoleSource[],
): Role {
  const found = new Set<Role>();
  for (const source of sources) {
    const values = source === "extension" ? extensionValues(extensions) : valuesOf(certificate, source);
    const role = strongestRole(values.map(parseRole).filter((value) => value !== undefined));
    if (role !== undefined) found.add(role);
  }
  const [role, ...others] = found;
  if (role === undefined) {
    throw new AuthError("denied", `Cannot find a role in the client certificate: ${sources.join(", ")} must name one`);
  }
  if (others.length > 0) {
    throw new AuthError(
      "denied",
      `Cannot tell the role of the client certificate: it says ${[...found].join(" and ")}`,
    );
  }
  return role;
}

function extensionValues(extensions: ReadonlyMap<string, Uint8Array>): string[] {
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
