import assert from "node:assert/strict";
import { forbiddenSkips, parseResultLine, parseSummary, resultLine, skippedTests, sum } from "./test_results.ts";

Deno.test("parseSummary reads passed, failed and ignored, and not the steps in parentheses", () => {
  const output = "a ... ok\n\nFAILED | 12 passed (3 steps) | 2 failed (1 step) | 1 ignored (55ms)\n";
  assert.deepEqual(parseSummary(output, 1), { passed: 12, failed: 2, skipped: 1 });
});

Deno.test("parseSummary takes the last summary, as tests may print one of their own", () => {
  const output = "ok | 900 passed | 0 failed (1ms)\nok | 3 passed | 0 failed (5ms)\n";
  assert.deepEqual(parseSummary(output, 0), { passed: 3, failed: 0, skipped: 0 });
});

Deno.test("parseSummary counts a crash without a summary as a failure", () => {
  assert.deepEqual(parseSummary("Segmentation fault\n", 139), { passed: 0, failed: 1, skipped: 0 });
});

Deno.test("parseSummary counts a bad exit code as a failure although the summary names none", () => {
  assert.deepEqual(parseSummary("ok | 3 passed | 0 failed (5ms)\n", 1), { passed: 3, failed: 1, skipped: 0 });
});

Deno.test("skippedTests reads names from a JUnit report, entities resolved", () => {
  const junit = `<testcase name="a &lt;b&gt; &amp;amp;" classname="x" line="1">
            <skipped/>
        </testcase>
        <testcase name="ran" classname="x">
        </testcase>`;
  assert.deepEqual(skippedTests(junit), ["a <b> &amp;"]);
});

Deno.test("forbiddenSkips passes only the names that are listed", () => {
  assert.deepEqual(forbiddenSkips(["a", "b", "toString"], { a: "needs hardware" }), ["b", "toString"]);
});

Deno.test("resultLine leaves skipped out where nothing was skipped", () => {
  assert.equal(resultLine({ passed: 3, failed: 0, skipped: 0 }), "3 passed, 0 failed");
  assert.equal(resultLine({ passed: 3, failed: 1, skipped: 2 }), "3 passed, 1 failed, 2 skipped");
});

Deno.test("parseResultLine reads the last line that resultLine made, and takes its absence for a failure", () => {
  for (const results of [{ passed: 3, failed: 1, skipped: 0 }, { passed: 9, failed: 0, skipped: 2 }]) {
    assert.deepEqual(parseResultLine(`0 passed, 7 failed\nmore\n${resultLine(results)}\n`), results);
  }
  assert.deepEqual(parseResultLine("guest: it died\n"), { passed: 0, failed: 1, skipped: 0 });
});

Deno.test("sum adds counts one by one", () => {
  const all = sum({ passed: 1, failed: 2, skipped: 3 }, { passed: 10, failed: 20, skipped: 30 });
  assert.deepEqual(all, { passed: 11, failed: 22, skipped: 33 });
});
