/** A string literal without escapes resolved, as it stands between its quotes. */
export interface StringLiteral {
  readonly value: string;
  /** Offset of the opening quote. */
  readonly offset: number;
}

/** TypeScript with the contents of comments, strings and regular expressions blanked; offsets and lines stay the same. */
export interface Masked {
  readonly code: string;
  readonly strings: readonly StringLiteral[];
}

/** After these words and characters a slash begins a regular expression, elsewhere it divides. */
const BEFORE_REGEXP = /(^|[(,=:[!&|?{};+\-*%<>~^]|\b(return|typeof|case|in|of|do|else|void|delete|throw|await|yield))$/;

/** Tells code from text. Understands nested templates; knows no grammar beyond that. */
export function mask(source: string): Masked {
  const scanner = new Scanner(source);
  scanner.code(undefined);
  return { code: scanner.masked.join(""), strings: scanner.strings };
}

class Scanner {
  readonly masked: string[];
  readonly strings: StringLiteral[] = [];
  #at = 0;

  constructor(readonly source: string) {
    this.masked = source.split("");
  }

  /** Reads up to the closing brace of a template's `${`, or up to the end. */
  code(closing: "}" | undefined): void {
    let depth = 0;
    while (this.#at < this.source.length) {
      const char = this.source[this.#at]!;
      const two = this.source.slice(this.#at, this.#at + 2);
      if (closing && char === "}" && depth === 0) return;
      if (char === "{") depth++;
      if (char === "}") depth--;
      if (two === "//") this.#blankUntil(this.#find("\n", 2), 0);
      else if (two === "/*") this.#blankUntil(this.#find("*/", 2) + 2, 0);
      else if (char === '"' || char === "'") this.#string(char);
      else if (char === "`") this.#template();
      else if (char === "/" && this.#startsRegExp()) this.#regExp();
      else this.#at++;
    }
  }

  #find(text: string, skip: number): number {
    const found = this.source.indexOf(text, this.#at + skip);
    return found < 0 ? this.source.length : found;
  }

  /** Blanks from here to the offset but for `keep` characters at both ends; newlines stay. */
  #blankUntil(end: number, keep: number): void {
    const stop = Math.min(end, this.source.length);
    for (let at = this.#at + keep; at < stop - keep; at++) if (this.masked[at] !== "\n") this.masked[at] = " ";
    this.#at = stop;
  }

  #string(quote: string): void {
    let end = this.#at + 1;
    while (end < this.source.length && this.source[end] !== quote && this.source[end] !== "\n") {
      end += this.source[end] === "\\" ? 2 : 1;
    }
    this.strings.push({ value: this.source.slice(this.#at + 1, end), offset: this.#at });
    this.#blankUntil(end + 1, 1);
  }

  #template(): void {
    const start = this.#at++;
    let plain = true;
    while (this.#at < this.source.length && this.source[this.#at] !== "`") {
      if (this.source.startsWith("${", this.#at)) {
        plain = false;
        this.#at += 2;
        this.code("}");
        this.#at++;
        continue;
      }
      const width = this.source[this.#at] === "\\" ? 2 : 1;
      this.#blankUntil(this.#at + width, 0);
    }
    if (plain) this.strings.push({ value: this.source.slice(start + 1, this.#at), offset: start });
    this.#at++;
  }

  #startsRegExp(): boolean {
    return BEFORE_REGEXP.test(this.masked.slice(Math.max(0, this.#at - 200), this.#at).join("").trimEnd());
  }

  #regExp(): void {
    let end = this.#at + 1;
    let inClass = false;
    while (end < this.source.length && this.source[end] !== "\n" && (inClass || this.source[end] !== "/")) {
      if (this.source[end] === "[") inClass = true;
      if (this.source[end] === "]") inClass = false;
      end += this.source[end] === "\\" ? 2 : 1;
    }
    this.#blankUntil(end + 1, 1);
  }
}
