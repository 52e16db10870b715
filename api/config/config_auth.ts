/** The section `auth` of joblet-config.yml: which role a caller has, and what roles may. */
import * as v from "valibot";
import { EngineError } from "../../core/errors.ts";
import { isSafeName } from "../auth/identity.ts";
import { RIGHT } from "../auth/rights.ts";
import { parseRole, type Role, ROLE_NAMES, ROLE_SOURCES, type RoleMap, type RoleSource } from "../auth/role.ts";

/** The name of a caller, as certificates have it. */
export const callerName = v.pipe(
  v.string("must be a text"),
  v.check(isSafeName, "must be a name as in a certificate: at most 64 letters, digits and . _ @ + -"),
);

function roleOf(names: readonly string[]) {
  const wanted = `must be ${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
  return v.pipe(
    v.string(wanted),
    v.rawTransform<string, Role>(({ dataset, addIssue, NEVER }) => {
      const role = names.includes(dataset.value) ? parseRole(dataset.value) : undefined;
      if (role !== undefined) return role;
      addIssue({ message: wanted });
      return NEVER;
    }),
  );
}

export const AuthSection = v.optional(
  v.strictObject({
    roleSources: v.optional(v.array(v.picklist(ROLE_SOURCES, "must be extension, OU or O"), "must be a list")),
    roles: v.optional(v.record(callerName, roleOf(ROLE_NAMES), "must be a mapping"), {}),
    // Who may do everything is named, one by one.
    defaultRole: v.optional(roleOf(ROLE_NAMES.filter((name) => name !== "admin"))),
    hideForeignJobs: v.optional(v.boolean("must be true or false"), false),
    usersMay: v.optional(
      v.array(v.pipe(v.string("must be a text"), v.regex(RIGHT, "must be host-network, kept-work or profile:NAME"))),
    ),
  }),
  {},
);

export interface AuthConfig {
  /** Which parts of a client certificate may give it a role. */
  readonly roleSources: readonly RoleSource[];
  /** What the server says of roles, before what certificates say. */
  readonly roleMap: RoleMap;
  /** Rights of callers with the role user, see rights.ts. */
  readonly usersMay: readonly string[];
  /** Whether a foreign job is answered as if it did not exist. */
  readonly hideForeignJobs: boolean;
}

/** @throws {EngineError} kind "invalid" for a section by which nobody could have a role */
export function authConfigOf(section: v.InferOutput<typeof AuthSection>): AuthConfig {
  const { roleSources = ROLE_SOURCES, roles, defaultRole, usersMay = [], hideForeignJobs } = section;
  const byName = new Map(Object.entries(roles));
  if (roleSources.length === 0 && byName.size === 0 && defaultRole === undefined) {
    throw new EngineError(
      "invalid",
      "key 'auth.roleSources' must name a source where neither 'auth.roles' nor 'auth.defaultRole' gives a role",
    );
  }
  const roleMap: RoleMap = { byName, ...(defaultRole !== undefined && { standard: defaultRole }) };
  return { roleSources, roleMap, usersMay, hideForeignJobs };
}
