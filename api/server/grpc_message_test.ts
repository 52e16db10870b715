import assert from "node:assert/strict";
import { plainMessage } from "./grpc_message.ts";

Deno.test("plainMessage unescapes printable ASCII but the percent sign, and keeps every text", () => {
  const table: [string, string][] = [
    ["Cannot use 'x': it's 100 % wrong", "Cannot use 'x': it's 100 %25 wrong"],
    ["%41", "%2541"],
    ["Größe\n", "Gr%C3%B6%C3%9Fe%0A"],
    ["", ""],
  ];
  for (const [text, expected] of table) {
    assert.equal(plainMessage(encodeURIComponent(text)), expected);
    assert.equal(decodeURIComponent(expected), text);
  }
});
