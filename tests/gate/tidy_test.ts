import assert from "node:assert/strict";
import { checkDocuments, checkSizes, MAX_FILE_LINES, MAX_FUNCTION_LINES } from "./tidy.ts";

Deno.test("checkSizes complains of a file one line over the bound, and not of one at it", () => {
  const file = (lines: number) => [{ path: "core/a.ts", text: "a;\n".repeat(lines) }];
  assert.deepEqual(checkSizes(file(MAX_FILE_LINES)), []);
  assert.equal(checkSizes(file(MAX_FILE_LINES + 1)).length, 1);
});

Deno.test("checkSizes complains of a function one line over the bound, and not of one at it", () => {
  const file = (lines: number) => [{ path: "core/a.ts", text: `function f() {\n${"a;\n".repeat(lines - 2)}}\n` }];
  assert.deepEqual(checkSizes(file(MAX_FUNCTION_LINES)), []);
  assert.match(checkSizes(file(MAX_FUNCTION_LINES + 1))[0]?.message ?? "", /^f has 71 lines/);
});

Deno.test("checkSizes leaves generated code alone", () => {
  assert.deepEqual(checkSizes([{ path: "proto/gen/a_pb.ts", text: "a;\n".repeat(MAX_FILE_LINES + 1) }]), []);
});

Deno.test("checkDocuments wants one first-level heading and does not count those in code blocks", () => {
  const headings = (text: string) => checkDocuments([{ path: "a.md", text }], () => true).length;
  assert.equal(headings("# One\n```sh\n# comment\n```\n## Two\n"), 0);
  assert.equal(headings("# One\n# Two\n"), 1);
  assert.equal(headings("text\n"), 1);
});

Deno.test("checkDocuments complains of a link to a file that is not there, relative to the document", () => {
  const text = "# A\n[x](../core/a.ts) [y](gone.md#part) [z](https://example.org/a.md) [self](#a)\n";
  const complaints = checkDocuments([{ path: "docs/a.md", text }], (path) => path === "core/a.ts");
  assert.deepEqual(complaints.map(({ message }) => message), ["links to 'gone.md', which does not exist"]);
});
