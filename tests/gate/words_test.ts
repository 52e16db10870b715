import assert from "node:assert/strict";
import { checkWords } from "./words.ts";

function complaints(path: string, text: string): string[] {
  return checkWords([{ path, text }]).map(({ line, message }) => `${line} ${message.split(" ")[0]}`);
}

Deno.test("checkWords complains of unfinished work, in comments too, with its line", () => {
  assert.deepEqual(complaints("core/a.ts", "a;\n// TODO: more\n"), ["2 'TODO'"]);
  assert.deepEqual(complaints("docs/a.md", "FIXME\n"), ["1 'FIXME'"]);
});

Deno.test("checkWords complains of Deno.exit and console in the depths, not in scripts and not in comments", () => {
  assert.deepEqual(complaints("core/a.ts", "Deno.exit(1);\nconsole.log(1);\n// Deno.exit(1)\n"), [
    "1 'Deno.exit'",
    "2 'console.'",
  ]);
  assert.deepEqual(complaints("packaging/build.ts", "Deno.exit(1); console.log(1);"), []);
  assert.deepEqual(complaints("core/a.ts", "Deno.exitCode = 1;"), []);
});

Deno.test("checkWords complains of the type any, and not of the word", () => {
  assert.deepEqual(
    complaints("core/a.ts", "const a: any = 1;\nconst b = a as any;\nconst c: Map<any, 1>;\n").length,
    3,
  );
  assert.deepEqual(complaints("core/a.ts", 'const text = "as any"; Promise.any([]); const anyOf = 1; // as any\n'), []);
});

Deno.test("checkWords complains of the host of a package registry", () => {
  assert.deepEqual(complaints("deno.lock", ["registry", "example", "org"].join(".")).length, 1);
});
