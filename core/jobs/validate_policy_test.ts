import assert from "node:assert/strict";
import { EngineError } from "../errors.ts";
import type { JobSpecInput } from "./spec.ts";
import { checkKey, parseSpec } from "./validate.ts";

Deno.test("parseSpec fills in the defaults of a retry policy and of a recurring schedule", () => {
  const { retry, schedule } = parseSpec({ command: "x", retry: { limit: 2 }, schedule: { when: "@daily" } });
  assert.deepEqual(retry, { limit: 2, delayMs: 1000, on: ["exit", "signal", "out_of_memory", "lost"] });
  assert.deepEqual(schedule, {
    kind: "cron",
    when: "@daily",
    timeZone: "UTC",
    misfire: "run_once",
    overlap: "allow",
  });
  assert.equal(parseSpec({ command: "x", retry: { limit: 0 } }).retry, undefined);
});

Deno.test("parseSpec puts labels and causes into one order, so that equal wishes are equal specs", () => {
  const one = parseSpec({ command: "x", labels: { b: "1", a: "2" }, retry: { limit: 1, on: ["lost", "exit"] } });
  const two = parseSpec({ command: "x", labels: { a: "2", b: "1" }, retry: { limit: 1, on: ["exit", "lost"] } });
  assert.equal(JSON.stringify(one), JSON.stringify(two));
});

const WRONG: readonly [string, Partial<JobSpecInput>, RegExp][] = [
  ["a label key with a blank", { labels: { "a b": "1" } }, /label "a b"/],
  ["an empty label key", { labels: { "": "1" } }, /its key must be/],
  ["a label value with a slash", { labels: { a: "x/y" } }, /label 'a': its value/],
  [
    "too many labels",
    { labels: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, ""])) },
    /at most 64/,
  ],
  ["a priority that is too high", { priority: 101 }, /priority 101/],
  ["half a priority", { priority: 0.5 }, /priority 0.5/],
  ["too many retries", { retry: { limit: 101 } }, /0 to 100/],
  ["a negative delay", { retry: { limit: 1, delayMs: -1 } }, /retry delay/],
  ["a schedule that is none", { schedule: { when: "soon" } }, /schedule 'soon'/],
  ["an unknown time zone", { schedule: { when: "1h", timeZone: "Nowhere" } }, /time zone 'Nowhere'/],
  ["a misfire policy without recurrence", { schedule: { when: "1h", misfire: "skip" } }, /for cron expressions/],
];

for (const [name, fields, message] of WRONG) {
  Deno.test(`parseSpec refuses ${name}`, () => {
    assert.throws(
      () => parseSpec({ command: "x", ...fields }),
      (error) => error instanceof EngineError && error.kind === "invalid" && message.test(error.message),
    );
  });
}

Deno.test("checkKey takes printable keys, an empty one as none, and refuses others", () => {
  assert.equal(checkKey("a-1/b"), "a-1/b");
  assert.equal(checkKey(""), undefined);
  assert.equal(checkKey(undefined), undefined);
  for (const key of ["a b", "é", "x".repeat(129), "a\n"]) assert.throws(() => checkKey(key), EngineError);
});
