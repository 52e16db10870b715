import assert from "node:assert/strict";
import { mask } from "./mask.ts";

Deno.test("mask keeps every offset and line", () => {
  const source =
    'const a = "x{y"; // {\n/* {\n */ const b = `t ${a + `{${1}`} {`;\nconst c = /[/{]{2}/g.test(a) ? 4 / 2 / 1 : "";\n';
  const { code } = mask(source);
  assert.equal(code.length, source.length);
  assert.deepEqual([...code].filter((c) => c === "\n").length, 4);
});

Deno.test("mask blanks braces in comments, strings, templates and regular expressions, and keeps those of code", () => {
  const { code } = mask("{ \"{\"; '{'; `{ ${ {} } {`; /[/{]{/; /* { */ a / 2; } // {\n");
  assert.equal(code.replaceAll(/[^{}]/g, ""), "{{{}}}");
});

Deno.test("mask collects the values of strings and of templates without holes", () => {
  const { strings } = mask('f(\'a\', "b\\"c", `d`, `e${1}`);');
  assert.deepEqual(strings.map(({ value }) => value), ["a", 'b\\"c', "d"]);
});

Deno.test("mask takes a slash after an operand for a division, so that what follows stays code", () => {
  assert.equal(mask("x = (a) / b; y = 1 / c; // z").code.trimEnd(), "x = (a) / b; y = 1 / c;");
});
