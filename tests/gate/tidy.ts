/** What no linter knows: sizes, import directions, words, documents. Run alone: `deno run -A tests/gate/tidy.ts`. */
// deno-lint-ignore-file no-console -- A script: what it prints is its result.
import { type Complaint, repositoryFiles, type SourceFile } from "./files.ts";
import { functionSpans } from "./functions.ts";
import { checkImports } from "./imports.ts";
import { mask } from "./mask.ts";
import { checkWords } from "./words.ts";

export const MAX_FILE_LINES = 400;
export const MAX_FUNCTION_LINES = 70;

/** Files that may be longer, each with its reason and its own bound. */
const LONG_FILES: Readonly<Record<string, { readonly lines: number; readonly reason: string }>> = {};

const isGenerated = (path: string) => path.startsWith("proto/gen/") || path.endsWith(".gen.ts");

/** Complains of long files and long functions. */
export function checkSizes(files: readonly SourceFile[]): Complaint[] {
  const complaints: Complaint[] = [];
  for (const { path, text } of files) {
    if (!/\.(ts|js|c|sh)$/.test(path) || isGenerated(path)) continue;
    const lines = text.split("\n").length - 1;
    const bound = LONG_FILES[path]?.lines ?? MAX_FILE_LINES;
    if (lines > bound) complaints.push({ path, line: 0, message: `has ${lines} lines, ${bound} at most are wanted` });
    if (!path.endsWith(".ts")) continue;
    for (const { name, line, lines } of functionSpans(mask(text).code)) {
      if (lines <= MAX_FUNCTION_LINES) continue;
      complaints.push({ path, line, message: `${name} has ${lines} lines, ${MAX_FUNCTION_LINES} at most are wanted` });
    }
  }
  return complaints;
}

/** Complains of Markdown without exactly one first-level heading, and of links to files that are not there. */
export function checkDocuments(files: readonly SourceFile[], exists: (path: string) => boolean): Complaint[] {
  const complaints: Complaint[] = [];
  for (const { path, text } of files.filter(({ path }) => path.endsWith(".md"))) {
    const prose = text.replaceAll(/^(```|~~~)[\s\S]*?^\1/gm, (block) => block.replaceAll(/[^\n]/g, ""));
    const headings = prose.match(/^# /gm)?.length ?? 0;
    if (headings !== 1) {
      complaints.push({ path, line: 0, message: `has ${headings} first-level headings, one is wanted` });
    }
    for (const [, target = ""] of prose.matchAll(/\]\((?!\w+:|#)([^)#\s]+)[^)]*\)/g)) {
      const file = new URL(target, `file:///${path}`).pathname.slice(1);
      if (!exists(file)) complaints.push({ path, line: 0, message: `links to '${target}', which does not exist` });
    }
  }
  return complaints;
}

/** All complaints about a repository, as `path:line: message`. @param root absolute, without a slash at the end */
export async function tidy(root: string): Promise<string[]> {
  const files = await repositoryFiles(root);
  const exists = (path: string) => {
    try {
      return Deno.statSync(`${root}/${path}`) !== undefined;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  };
  const { imports } = JSON.parse(await Deno.readTextFile(`${root}/deno.json`)) as { imports: Record<string, string> };
  const complaints = [
    ...checkSizes(files),
    ...checkImports(files, exists, imports),
    ...checkWords(files),
    ...checkDocuments(files, exists),
  ];
  return complaints.map(({ path, line, message }) => `${path}${line ? `:${line}` : ""}: ${message}`);
}

if (import.meta.main) {
  const complaints = await tidy(new URL("../..", import.meta.url).pathname.replace(/\/$/, ""));
  for (const complaint of complaints) console.log(complaint);
  if (complaints.length > 0) Deno.exit(1);
}
