/**
 * Prepares the words of a command line for the parser: flags before the command are moved behind it, and for a command that
 * starts jobs everything from the first word that is no flag is the job's (`joblet run ls --help` runs `ls --help`).
 */

const GLOBAL_VALUE_FLAGS: ReadonlySet<string> = new Set(["--node", "--config"]);

/** What is particular to a tree of commands. */
export interface WordRules {
  /** Groups: the command is their second word. */
  readonly groups: ReadonlySet<string>;
  /** Last words of the commands that start jobs. */
  readonly starts: ReadonlySet<string>;
  /** Flags of those that take a value, with their dashes. */
  readonly valueFlags: ReadonlySet<string>;
}

export function prepareArguments(words: readonly string[], { groups, starts, valueFlags }: WordRules): string[] {
  const { leading, rest } = splitLeadingFlags(words);
  const path = rest.slice(0, groups.has(rest[0] ?? "") ? 2 : 1);
  const behind = rest.slice(path.length);
  return [...path, ...leading, ...(starts.has(path.at(-1) ?? "") ? escapeCommand(behind, valueFlags) : behind)];
}

/** The flags, which take a value or not, that stand before all else. */
export function splitLeadingFlags(words: readonly string[]): { readonly leading: string[]; readonly rest: string[] } {
  let at = 0;
  while (words[at] === "--json" || GLOBAL_VALUE_FLAGS.has(words[at]?.split("=")[0] ?? "")) {
    at += GLOBAL_VALUE_FLAGS.has(words[at]!) ? 2 : 1;
  }
  return { leading: words.slice(0, at), rest: words.slice(at) };
}

/** Names of flags that take a value as they are typed: with dashes, in both spellings. */
export function valueFlagsOf(
  flags: Readonly<Record<string, { readonly kind: string }>>,
  aliases: readonly string[] = [],
): ReadonlySet<string> {
  const names = Object.entries(flags).filter(([, { kind }]) => kind === "parsed").map(([name]) => name);
  return new Set([
    ...aliases.map((alias) => `-${alias}`),
    ...names.flatMap((name) => [`--${name}`, `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`]),
  ]);
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
