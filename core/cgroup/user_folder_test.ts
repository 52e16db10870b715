import assert from "node:assert/strict";
import fc from "fast-check";
import { isUserFolder, userFolder } from "./user_folder.ts";

Deno.test("userFolder keeps plain names and escapes the rest", () => {
  const table: Readonly<Record<string, string>> = {
    "ann": "user-ann",
    "CI_runner-7": "user-CI_runner-7",
    "": "user-",
    ".": "user-%2E",
    "..": "user-%2E%2E",
    "a/../b": "user-a%2F%2E%2E%2Fb",
    "100%": "user-100%25",
    "ann@example.com": "user-ann%40example%2Ecom",
    "é": "user-%C3%A9",
    "a\0b": "user-a%00b",
  };
  for (const [owner, folder] of Object.entries(table)) assert.equal(userFolder(owner), folder);
});

Deno.test("userFolder gives every owner a folder of its own, that is one path component", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 300 }).map((owner) => owner.toWellFormed());
  fc.assert(fc.property(text, text, (one, other) => {
    const folder = userFolder(one);
    assert.match(folder, /^user-[A-Za-z0-9_%~-]*$/);
    assert(folder.length <= 150 && isUserFolder(folder));
    if (one !== other) assert.notEqual(folder, userFolder(other));
  }));
});

Deno.test("userFolder tells long names apart that begin alike", () => {
  const long = "x".repeat(500);
  assert.notEqual(userFolder(`${long}a`), userFolder(`${long}b`));
  assert.notEqual(userFolder("x".repeat(128)), userFolder("x".repeat(129)));
});
