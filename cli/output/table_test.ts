import assert from "node:assert/strict";
import { formatTable, printable } from "./table.ts";

Deno.test("formatTable aligns columns and cuts only the last one to the width", () => {
  const rows = [["ID", "COMMAND"], ["abc", "sleep 1000"]];
  assert.equal(formatTable(rows, Infinity), "ID   COMMAND\nabc  sleep 1000\n");
  assert.equal(formatTable(rows, 12), "ID   COMMAND\nabc  sleep …\n");
});

Deno.test("formatTable counts what is seen: colours take no room, wide characters two columns", () => {
  assert.equal(formatTable([["\x1b[31mX\x1b[0m", "a"], ["日", "b"]], Infinity), "\x1b[31mX\x1b[0m   a\n日  b\n");
});

Deno.test("printable shows control characters instead of sending them to the terminal", () => {
  assert.equal(printable("a\x1b[2Jb\nc\u202e"), "a\\u{1b}[2Jb\\u{a}c\\u{202e}");
});
