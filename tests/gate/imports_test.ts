import assert from "node:assert/strict";
import { checkImports, references, resolve } from "./imports.ts";

const all = () => true;

/** Complaints about the one file, which something imports. */
function check(path: string, text: string, exists: (path: string) => boolean = all): string[] {
  const user = { path: "tests/user.ts", text: `import "../${path}";` };
  return checkImports([{ path, text }, user], exists, { "@std/cli": "./cli/std_cli.ts" })
    .filter((complaint) => complaint.path === path)
    .map(({ message }) => message.replace(/: see .*/, ""));
}

Deno.test("references finds imports, exports, import() and URLs of modules, and nothing in comments or other strings", () => {
  const source = `import a from "./a.ts";
export { b } from './b.ts';
import "./c.ts";
const d = await import("./d.ts");
new Worker(new URL("./e.ts", import.meta.url));
// import "./f.ts";
const g = 'import "./g.ts"'; new URL("./h", import.meta.url); new URL("./i.ts", base);
import type { J } from "npm:j";`;
  assert.deepEqual(references(source).map(({ specifier }) => specifier), [
    ...["./a.ts", "./b.ts", "./c.ts", "./d.ts", "./e.ts", "npm:j"],
  ]);
  assert.equal(references(source)[4]?.line, 5);
});

Deno.test("resolve follows relative specifiers and the import map, and leaves packages alone", () => {
  assert.equal(resolve("core/jobs/a.ts", "../logs/b.ts", {}), "core/logs/b.ts");
  assert.equal(resolve("cli/a.ts", "@std/cli", { "@std/cli": "./cli/std_cli.ts" }), "cli/std_cli.ts");
  assert.equal(resolve("cli/a.ts", "js-yaml", { "js-yaml": "npm:js-yaml@5" }), undefined);
});

Deno.test("checkImports lets the arrows of the architecture pass", () => {
  assert.deepEqual(check("core/x.ts", 'import "../ffi/mod.ts"; import "node:sqlite"; import "./values/a.ts";'), []);
  assert.deepEqual(
    check("cli/x.ts", 'import "../core/values/a.ts"; import "../proto/gen/a.ts"; import "@std/cli";'),
    [],
  );
  assert.deepEqual(check("api/x_test.ts", 'import "node:assert/strict"; import "../tests/harness/server.ts";'), []);
});

for (
  const [path, specifier] of [
    ["cli/x.ts", "../core/engine.ts"],
    ["cli/x.ts", "../api/serve.ts"],
    ["cli/x.ts", "../ffi/mod.ts"],
    ["cli/x.ts", "node:fs"],
    ["api/x.ts", "../ffi/mod.ts"],
    ["api/x.ts", "../cli/mod.ts"],
    ["core/x.ts", "../api/serve.ts"],
    ["core/x.ts", "@connectrpc/connect"],
    ["core/values/x.ts", "../engine.ts"],
    ["core/values/x.ts", "node:path"],
    ["ffi/x.ts", "../core/values/a.ts"],
    ["ffi/x.ts", "js-yaml"],
    ["elsewhere/x.ts", "js-yaml"],
  ] as const
) {
  Deno.test(`checkImports complains when ${path} imports ${specifier}`, () => {
    assert.equal(check(path, `import "${specifier}";`)[0], `must not import '${specifier}'`);
  });
}

Deno.test("checkImports complains of a file that does not exist", () => {
  assert.deepEqual(check("core/x.ts", 'import "./gone.ts";', (path) => path !== "core/gone.ts"), [
    "'./gone.ts' does not exist",
  ]);
});

Deno.test("checkImports complains of a module that only a unit test imports", () => {
  const files = [{ path: "core/a.ts", text: "" }, { path: "core/a_test.ts", text: 'import "./a.ts";' }];
  assert.deepEqual(checkImports(files, all, {}).map(({ path, message }) => `${path} ${message}`), [
    "core/a.ts is imported by nothing but tests",
  ]);
});
