/**
 * Prepares the words of a command line for the parser: flags before the command are moved behind it, and for `run` and
 * `job run` everything from the first word that is no flag is the job's (`joblet run ls --help` runs `ls --help`).
 */

const GLOBAL_VALUE_FLAGS: ReadonlySet<string> = new Set(["--node", "--config"]);

/** Groups: the command is their second word. */
const GROUPS: ReadonlySet<string> = new Set(["job", "certs", "completion"]);

/** @param valueFlags flags of `run` that take a value, with their dashes */
export function prepareArguments(words: readonly string[], valueFlags: ReadonlySet<string>): string[] {
  const { leading, rest } = splitLeadingFlags(words);
  const path = rest.slice(0, GROUPS.has(rest[0] ?? "") ? 2 : 1);
  const behind = rest.slice(path.length);
  return [...path, ...leading, ...(path.at(-1) === "run" ? escapeCommand(behind, valueFlags) : behind)];
}

function splitLeadingFlags(words: readonly string[]): { readonly leading: string[]; readonly rest: string[] } {
  let at = 0;
  while (words[at] === "--json" || GLOBAL_VALUE_FLAGS.has(words[at]?.split("=")[0] ?? "")) {
    at += GLOBAL_VALUE_FLAGS.has(words[at]!) ? 2 : 1;
  }
  return { leading: words.slice(0, at), rest: words.slice(at) };
}

/** Puts "--" before the first word that is no flag. */
function escapeCommand(words: readonly string[], valueFlags: ReadonlySet<string>): string[] {
  let at = 0;
  while (at < words.length && words[at]!.startsWith("-") && words[at] !== "--") {
    at += valueFlags.has(words[at]!) ? 2 : 1;
  }
  if (at >= words.length || words[at] === "--") return [...words];
  return [...words.slice(0, at), "--", ...words.slice(at)];
}
