import { type Complaint, lineAt, type SourceFile } from "./files.ts";
import { mask } from "./mask.ts";

/** A module that a file names: by import, export from, import() or new URL(..., import.meta.url). */
export interface Reference {
  readonly specifier: string;
  readonly line: number;
}

/** What files below a folder may use. The first rule whose prefix fits a path counts. */
export interface Direction {
  readonly from: string;
  /** Path prefixes inside the repository. Its own prefix need not be named. */
  readonly to: readonly string[];
  /** Prefixes of specifiers from outside. Absent: all. */
  readonly external?: readonly string[];
}

/**
 * The architecture, as import arrows: main -> cli, api -> core -> ffi. The command line starts fast because it loads no node:
 * module: each costs 5 to 40 ms.
 */
export const DIRECTIONS: readonly Direction[] = [
  { from: "main.ts", to: ["cli/", "api/", "core/values/"], external: [] },
  { from: "packaging/", to: ["main.ts"] },
  { from: "tests/", to: [""] },
  { from: "ffi/", to: [], external: ["node:"] },
  { from: "core/values/", to: [], external: ["js-yaml"] },
  {
    // What decides about jobs knows disks, sandboxes and clocks by their interfaces alone, so each could be another process.
    from: "core/jobs/",
    to: [
      "core/errors.ts",
      "core/values/",
      "core/schedule/clock.ts",
      "core/schedule/timetable.ts",
      "core/schedule/when.ts",
      "core/state/store.ts",
      "core/logs/log.ts",
      "core/logs/log_store.ts",
    ],
    external: [],
  },
  { from: "core/schedule/", to: ["core/values/", "ffi/"], external: ["croner"] },
  { from: "core/state/", to: ["core/errors.ts", "core/values/", "core/jobs/"], external: ["node:"] },
  { from: "core/logs/", to: ["core/errors.ts", "core/values/", "core/jobs/job.ts"], external: ["node:"] },
  { from: "core/seccomp/", to: ["ffi/"], external: [] },
  { from: "core/", to: ["ffi/"], external: ["node:", "js-yaml", "valibot", "croner", "@logtape/", "@std/"] },
  { from: "api/", to: ["core/", "proto/gen/", ".deno-version"] },
  {
    from: "cli/",
    to: ["proto/gen/", "core/values/", ".deno-version", "deno.json"],
    external: ["@bufbuild/", "@connectrpc/connect", "@stricli/", "js-yaml", "valibot", "@std/"],
  },
  { from: "proto/", to: [] },
];

/** What a unit test may use besides what the files around it may. */
const TEST_EXTRAS = {
  to: ["tests/", "api/testing/", "core/jobs/testing/", "core/state/memory_store.ts"],
  external: ["node:", "fast-check", "@bufbuild/", "@connectrpc/"],
};

const REFERENCE = /(\bfrom|\bimport|\bimport\s*\(|\bnew\s+URL\s*\()\s*$/;

/** The modules that a TypeScript file refers to. */
export function references(text: string): Reference[] {
  const { code, strings } = mask(text);
  const found: Reference[] = [];
  for (const { value, offset } of strings) {
    const keyword = REFERENCE.exec(code.slice(Math.max(0, offset - 40), offset))?.[1];
    if (!keyword) continue;
    const isUrl = keyword.startsWith("new");
    // Of other URLs nothing is known.
    if (
      isUrl && !(/^\.\.?\/.*\.[a-z]+$/.test(value) && code.slice(offset).match(/^(["'`])\s*\1\s*,\s*import\.meta\.url/))
    ) {
      continue;
    }
    found.push({ specifier: value, line: lineAt(text, offset) });
  }
  return found;
}

/** The path in the repository that a relative specifier, or one that the import map leads inside, names. */
export function resolve(
  from: string,
  specifier: string,
  importMap: Readonly<Record<string, string>>,
): string | undefined {
  const mapped = importMap[specifier];
  if (mapped?.startsWith("./")) return mapped.slice(2);
  if (!/^\.\.?\//.test(specifier)) return undefined;
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

/** Complains of imports against the arrows, of files that are not there and of modules that nothing uses. */
export function checkImports(
  files: readonly SourceFile[],
  exists: (path: string) => boolean,
  importMap: Readonly<Record<string, string>>,
): Complaint[] {
  const complaints: Complaint[] = [];
  const used = new Set<string>();
  for (const { path, text } of files.filter(({ path }) => path.endsWith(".ts"))) {
    for (const { specifier, line } of references(text)) {
      const target = resolve(path, specifier, importMap);
      if (target !== undefined) {
        if (!isTest(path)) used.add(target);
        if (!exists(target)) complaints.push({ path, line, message: `'${specifier}' does not exist` });
      }
      if (!isAllowed(path, specifier, target)) {
        complaints.push({
          path,
          line,
          message: `must not import '${specifier}': see DIRECTIONS in tests/gate/imports.ts`,
        });
      }
    }
  }
  for (const { path } of files) {
    if (path.endsWith(".ts") && !isEntry(path) && !used.has(path)) {
      complaints.push({ path, line: 0, message: "is imported by nothing but tests" });
    }
  }
  return complaints;
}

function isAllowed(path: string, specifier: string, target: string | undefined): boolean {
  const rule = DIRECTIONS.find(({ from }) => path.startsWith(from));
  if (!rule) return false;
  const inside = isTest(path) ? [...rule.to, ...TEST_EXTRAS.to] : rule.to;
  // An alias of the import map is judged by where it leads.
  if (target !== undefined) return target.startsWith(rule.from) || inside.some((prefix) => target.startsWith(prefix));
  if (!rule.external) return true;
  const outside = isTest(path) ? [...rule.external, ...TEST_EXTRAS.external] : rule.external;
  return outside.some((prefix) => specifier.startsWith(prefix));
}

/** Unit tests, and what only they use. */
function isTest(path: string): boolean {
  return path.endsWith("_test.ts") || path.includes("/testing/") || /(^|\/)_[^/]*fixture[^/]*\.ts$/.test(path);
}

/** Modules that tests alone import, each with its reason. */
const TEST_ONLY: Readonly<Record<string, string>> = {
  "core/state/store_contract.ts": "the suite that every store passes",
};

/** Files that are run, not imported. A name with `_` in front is its folder's own business. */
function isEntry(path: string): boolean {
  return isTest(path) || path in TEST_ONLY || /(^|\/)_[^/]*$/.test(path) || path === "main.ts" ||
    /^(tests|packaging)\//.test(path) ||
    ["proto/generate.ts", "ffi/native/build.ts"].includes(path) || path.startsWith("proto/gen/");
}
