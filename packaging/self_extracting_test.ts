import assert from "node:assert/strict";
import { header } from "./self_extracting.ts";

Deno.test("header names the byte after itself as the payload's offset, counted from 1 as tail does", async () => {
  const template = await Deno.readTextFile(new URL("./header.sh", import.meta.url));
  const text = header(template, "0123456789abcdef");
  const offset = Number(/^offset=(\d+) *$/m.exec(text)?.[1]);
  assert.equal(offset, new TextEncoder().encode(text).length + 1);
  assert.match(text, /^hash=0123456789abcdef$/m);
});
