/** What `deno test` said. Steps inside a test are not counted. */
export interface TestResults {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Reads the last line of `deno test`, colours off: `ok | 3 passed | 0 failed | 1 ignored (5ms)`. A run that ended without it, as one
 * that crashed does, counts as one failure, and so does one with a bad exit code that names none.
 */
export function parseSummary(output: string, exitCode: number): TestResults {
  const summary = output.match(/^(?:ok|FAILED) \| .*$/gm)?.at(-1) ?? "";
  const count = (word: string) => Number(new RegExp(`(\\d+) ${word}\\b`).exec(summary)?.[1] ?? 0);
  const failed = count("failed");
  return { passed: count("passed"), failed: exitCode !== 0 && failed === 0 ? 1 : failed, skipped: count("ignored") };
}

/** The names of skipped tests in a JUnit report. */
export function skippedTests(junit: string): string[] {
  const cases = junit.matchAll(/<testcase name="([^"]*)"[^>]*>\s*<skipped\s*\/>/g);
  return [...cases].map(([, name = ""]) => unescape(name));
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function unescape(text: string): string {
  return text.replaceAll(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => ENTITIES[name] ?? "");
}

/**
 * Skips that pass where nothing may be skipped (JOBLET_TESTS_REQUIRED=1): the whole name of the test, and why no machine that
 * runs the gate can be asked to run it.
 */
export const ALLOWED_SKIPS: Readonly<Record<string, string>> = {
  "install.sh starts a server in the background, leaves it when run again, and --uninstall stops it":
    "where systemd runs, it would replace the unit of the host's own server",
};

/** The skipped tests that nobody allowed. */
export function forbiddenSkips(names: readonly string[], allowed = ALLOWED_SKIPS): string[] {
  return names.filter((name) => !Object.hasOwn(allowed, name));
}

/** The line that ends the gate's output. */
export function resultLine({ passed, failed, skipped }: TestResults): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** Reads a line that `resultLine` made, the last of an output. A run that ended without it counts as one failure. */
export function parseResultLine(output: string): TestResults {
  const found = output.match(/^\d+ passed, \d+ failed(?:, \d+ skipped)?$/gm)?.at(-1);
  if (found === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const [passed = 0, failed = 0, skipped = 0] = found.match(/\d+/g)!.map(Number);
  return { passed, failed, skipped };
}

/** Both together. */
export function sum(a: TestResults, b: TestResults): TestResults {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}
