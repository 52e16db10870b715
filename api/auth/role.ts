/** What a caller may do: see policy.ts. */
export type Role = "admin" | "user" | "viewer";

/** Where a certificate may carry the role of its owner. */
export type RoleSource = "extension" | "OU" | "O";

export const ROLE_SOURCES: readonly RoleSource[] = ["extension", "OU", "O"];

/**
 * Object identifier of the certificate extension that carries a role: a DER UTF8String holding one role name, not
 * critical. The arc 1.3.6.1.4.1.58888.1 is joblet's own; .1 below it is the role.
 */
export const ROLE_EXTENSION_OID = "1.3.6.1.4.1.58888.1.1";

/** What the server's administrator says of roles; it goes before what certificates say. */
export interface RoleMap {
  /** Roles by the name of the certificate. */
  readonly byName: ReadonlyMap<string, Role>;
  /** The role of certificates that carry none. @default none: they are refused */
  readonly standard?: Role;
}

/** Nothing is said: the certificate alone counts. */
export const NO_ROLE_MAP: RoleMap = { byName: new Map() };

const BY_NAME: ReadonlyMap<string, Role> = new Map([
  ["admin", "admin"],
  ["user", "user"],
  ["viewer", "viewer"],
  ["reader", "viewer"],
  ["readonly", "viewer"],
]);

const WEAK_TO_STRONG: readonly Role[] = ["viewer", "user", "admin"];

/** Names that `parseRole` takes, for help texts. */
export const ROLE_NAMES: readonly string[] = [...BY_NAME.keys()];

/** The role of this name, or undefined for any other text: an organisation's name is no role. */
export function parseRole(text: string): Role | undefined {
  return BY_NAME.get(text);
}

/** The role that may do most of these; undefined for none. */
export function strongestRole(roles: readonly Role[]): Role | undefined {
  return WEAK_TO_STRONG.findLast((role) => roles.includes(role));
}
