/** What kinds of sandboxes a server has, by name. */
import { compileFilter, describePolicy, policyFor } from "../seccomp/mod.ts";
import { ARCH } from "../../ffi/mod.ts";

/** What a profile changes, as configured. */
export interface ProfileOptions {
  /** System calls, or groups of them, that are allowed besides those of the default profile. */
  readonly allow?: readonly string[] | undefined;
  /** No network, no execution of files that the job can write, processes alone in /proc. @default {false} */
  readonly strict?: boolean | undefined;
}

export interface SandboxProfile {
  readonly name: string;
  readonly strict: boolean;
  /** struct sock_filter[] */
  readonly filter: Uint8Array<ArrayBuffer>;
  /** What the filter allows and refuses, for people. */
  readonly summary: readonly string[];
}

/** Profiles that every server has. */
const BUILT_IN: Readonly<Record<string, ProfileOptions>> = {
  default: {},
  strict: { strict: true },
  debug: { allow: ["debug"] },
};

/**
 * The built-in profiles and those that the administrator named.
 * @throws {RangeError} if one allows a system call that does not exist
 */
export function sandboxProfiles(own: Readonly<Record<string, ProfileOptions>>): Map<string, SandboxProfile> {
  const all = Object.entries({ ...own, ...BUILT_IN });
  return new Map(all.map(([name, options]) => {
    const { strict = false, allow = [] } = options;
    const policy = policyFor({ strict, allow });
    const filter = compileFilter(policy, ARCH);
    return [name, { name, strict, filter, summary: describePolicy(policy) }];
  }));
}
