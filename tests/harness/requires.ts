/**
 * What a test needs of the host. A test whose need is not met is skipped with the reason in its name; in CI
 * (JOBLET_TESTS_REQUIRED=1) nothing is skipped, so that a missing feature fails there instead of going unnoticed.
 */
import { missingNeeds } from "../guest/needs.ts";

type Feature = "root" | "cgroup2" | "node" | "openssl" | "gcc" | "aarch64 binutils" | "python3" | "nsenter" | "guest";

const PROBES: Readonly<Record<Feature, () => boolean>> = {
  root: () => Deno.uid() === 0,
  cgroup2: () => / - cgroup2 /.test(Deno.readTextFileSync("/proc/self/mountinfo")),
  node: () => succeeds("node", ["--version"]),
  gcc: () => succeeds("gcc", ["--version"]),
  "aarch64 binutils": () => succeeds("aarch64-linux-gnu-objdump", ["--version"]),
  python3: () => succeeds("python3", ["--version"]),
  nsenter: () => succeeds("nsenter", ["--version"]),
  guest: () => Deno.uid() === 0 && missingNeeds().length === 0,
  openssl: () => succeeds("openssl", ["version"]),
};

function succeeds(command: string, args: string[]): boolean {
  try {
    return new Deno.Command(command, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Options for Deno.test: `Deno.test({ ...requires("root"), name: ..., fn })`. */
export function requires(...features: Feature[]): { readonly ignore: boolean } {
  if (Deno.env.get("JOBLET_TESTS_REQUIRED") === "1") return { ignore: false };
  return { ignore: features.some((feature) => !PROBES[feature]()) };
}
