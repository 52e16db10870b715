/** A command line in one word, and options around it. */

const BLANKS = /[ \t\n]/;

/** What a backslash between double quotes takes its meaning from. */
const ESCAPED_IN_QUOTES = '"\\$`';

/**
 * Splits a text as a shell would: at blanks, with single quotes, double quotes and backslashes. Nothing is expanded.
 * @throws {RangeError} a quote is left open, or there is no word
 */
export function splitCommandLine(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  const open = (quote: string) =>
    new RangeError(`Cannot read the command ${text}: a ${quote} is left open; close it, or put a backslash before it`);
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === "'") {
      const end = text.indexOf("'", at + 1);
      if (end < 0) throw open("'");
      word = (word ?? "") + text.slice(at + 1, end);
      at = end;
    } else if (char === '"') {
      const quoted = readDoubleQuoted(text, at + 1);
      if (!quoted) throw open('"');
      word = (word ?? "") + quoted.text;
      at = quoted.end;
    } else if (char === "\\") {
      const next = text[++at];
      if (next === undefined) throw new RangeError(`Cannot read the command ${text}: it ends with a backslash`);
      word = (word ?? "") + next;
    } else if (BLANKS.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + char;
  }
  if (word !== undefined) words.push(word);
  if (words.length === 0) throw new RangeError("Cannot start a job: its command is empty");
  return words;
}

/** @param from behind the opening quote @returns where the closing one is; undefined if there is none */
function readDoubleQuoted(text: string, from: number): { readonly text: string; readonly end: number } | undefined {
  let read = "";
  for (let at = from; at < text.length; at++) {
    const char = text[at]!;
    if (char === '"') return { text: read, end: at };
    const next = text[at + 1];
    if (char === "\\" && next !== undefined && ESCAPED_IN_QUOTES.includes(next)) {
      read += next;
      at++;
    } else read += char;
  }
  return undefined;
}

/** The job's command: a single word with blanks is split, several words are taken as they are. @throws {RangeError} */
export function commandOf(words: readonly string[]): readonly string[] {
  return words.length === 1 && BLANKS.test(words[0]!) ? splitCommandLine(words[0]!) : words;
}

/**
 * Makes the words of `start` ready for the parser: options stand before the command or behind it, and what stands between
 * words of the command is the command's, as is all behind "--".
 * @param valueFlags flags that take a value, with their dashes
 */
export function prepareStart(words: readonly string[], valueFlags: ReadonlySet<string>): string[] {
  const at = endOfOptions(words, 0, valueFlags);
  if (at >= words.length || words[at] === "--" || words[at]!.startsWith("-")) return [...words];
  let tail = at + 1;
  // Behind a command that is a line of its own only options make sense: the parser names one that is none.
  if (!BLANKS.test(words[at]!) || !words[tail]?.startsWith("-")) {
    while (tail < words.length && endOfOptions(words, tail, valueFlags) < words.length) tail++;
  }
  return [...words.slice(0, at), ...words.slice(tail), "--", ...words.slice(at, tail)];
}

/** Where the run of known options that begins at `at` ends; of an option without its value, behind the end. */
function endOfOptions(words: readonly string[], at: number, valueFlags: ReadonlySet<string>): number {
  while (at < words.length) {
    const word = words[at]!;
    if (valueFlags.has(word)) at += 2;
    else if (valueFlags.has(word.split("=")[0]!) || word === "--help" || word === "-h") at++;
    else break;
  }
  return Math.min(at, words.length);
}
