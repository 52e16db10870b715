import { lineAt } from "./files.ts";

/** A function body with its head. */
export interface FunctionSpan {
  readonly name: string;
  readonly line: number;
  /** From the line of the head to that of the closing brace, both included. */
  readonly lines: number;
}

const CONTROL_WORDS = new Set(["if", "for", "while", "switch", "catch", "with"]);
const OPENING = "([{";
const CLOSING = ")]}";

/**
 * The functions, methods and arrow functions with a block body. A body is a brace after `=>`, or after a parameter list that no
 * control word precedes, its return type skipped. @param code masked, see mask.ts
 */
export function functionSpans(code: string): FunctionSpan[] {
  const partner = matchBrackets(code);
  const spans: FunctionSpan[] = [];
  for (const match of code.matchAll(/\)|=>\s*\{/g)) {
    const arrow = match[0] !== ")";
    const head = arrow ? match.index : partner.get(match.index);
    const body = arrow ? match.index + match[0].length - 1 : bodyAfter(code, match.index, partner);
    if (head === undefined || body === undefined) continue;
    const name = arrow ? "arrow function" : wordBefore(code, head);
    if (CONTROL_WORDS.has(name)) continue;
    const end = partner.get(body) ?? code.length;
    const line = lineAt(code, head);
    spans.push({ name: name || "function", line, lines: lineAt(code, end) - line + 1 });
  }
  return spans;
}

/** Offset of each bracket to the offset of its partner. */
function matchBrackets(code: string): Map<number, number> {
  const partner = new Map<number, number>();
  const open: number[] = [];
  for (let at = 0; at < code.length; at++) {
    const char = code[at]!;
    if (OPENING.includes(char)) open.push(at);
    if (!CLOSING.includes(char)) continue;
    const start = open.pop();
    if (start === undefined) continue;
    partner.set(start, at).set(at, start);
  }
  return partner;
}

/** The brace that opens a body after the parenthesis, behind a return type if there is one. */
function bodyAfter(code: string, parenthesis: number, partner: ReadonlyMap<number, number>): number | undefined {
  let at = skipBlanks(code, parenthesis + 1);
  if (code[at] === "{") return at;
  if (code[at] !== ":") return undefined;
  // In a type, a brace after an operator opens a type literal; after an operand it opens the body.
  let previous = ":";
  for (at = skipBlanks(code, at + 1); at < code.length; at = skipBlanks(code, at + 1)) {
    const char = code[at]!;
    if (char === "{" && !":|&<,(=>[?".includes(previous)) return at;
    if (";)]}=".includes(char) && !code.startsWith("=>", at)) return undefined;
    if (char === "," && !insideAngles(code, parenthesis, at)) return undefined;
    if (OPENING.includes(char)) at = partner.get(at) ?? code.length;
    previous = char === ">" && code[at - 1] !== "=" ? "operand" : code[at] ?? "";
  }
  return undefined;
}

function insideAngles(code: string, from: number, to: number): boolean {
  let depth = 0;
  for (let at = from; at < to; at++) {
    if (code[at] === "<") depth++;
    if (code[at] === ">" && code[at - 1] !== "=") depth--;
  }
  return depth > 0;
}

function skipBlanks(code: string, at: number): number {
  while (/\s/.test(code[at] ?? "x")) at++;
  return at;
}

function wordBefore(code: string, at: number): string {
  return /([\w$#]+)\s*(<[^()]*>)?\s*$/.exec(code.slice(Math.max(0, at - 200), at))?.[1] ?? "";
}
