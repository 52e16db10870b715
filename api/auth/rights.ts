/** What a job may be that weakens its sandbox: only for administrators, and for users as far as the configuration says so. */
import { EngineError } from "../../core/errors.ts";
import { DEFAULT_PROFILE, type JobSpecInput } from "../../core/jobs/spec.ts";
import type { Identity } from "./identity.ts";

/** A right by name: "host-network", "kept-work", or "profile:" and the profile's name. */
export type Right = "host-network" | "kept-work" | `profile:${string}`;

/** What a configuration may name. */
export const RIGHT = /^(host-network|kept-work|profile:[a-z][a-z0-9_-]{0,30})$/;

/** Profiles that allow no more than every job may. */
const OPEN_PROFILES: readonly string[] = ["", DEFAULT_PROFILE, "strict"];

/** The rights that a spec needs. */
export function neededRights({ network, work, profile = "" }: JobSpecInput): Right[] {
  const rights: Right[] = [];
  // The host's own network: what listens on its loopback trusts whoever comes from there.
  if (network === "host") rights.push("host-network");
  // On the host's disk, which it may fill.
  if (work === "kept") rights.push("kept-work");
  if (!OPEN_PROFILES.includes(profile)) rights.push(`profile:${profile}`);
  return rights;
}

const FLAGS: Readonly<Record<string, string>> = { "host-network": "--network host", "kept-work": "--work kept" };

/**
 * The spec, if the caller may have such a job. @param usersMay rights of callers with the role user
 * @throws {EngineError} kind "forbidden" that names the flag and who can change it
 */
export function permitted(identity: Identity, input: JobSpecInput, usersMay: readonly string[]): JobSpecInput {
  if (identity.role === "admin") return input;
  const missing = neededRights(input).find((right) => !usersMay.includes(right));
  if (missing === undefined) return input;
  const flag = FLAGS[missing] ?? `--profile ${missing.slice("profile:".length)}`;
  throw new EngineError(
    "forbidden",
    `Cannot run a job with ${flag}: only an admin may, unless auth.usersMay of the server's configuration has '${missing}'`,
  );
}
