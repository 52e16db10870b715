/**
 * The gate, `deno task ok`: every check in order, up to the first that fails. The last line is `N passed, N failed[, N skipped]`,
 * counted in tests; a check that failed before the tests ran counts as one failure. Where nothing may be skipped, limits and
 * probes in a guest come last, and count too.
 */
// deno-lint-ignore-file no-console -- A script: what it prints is its result.
import { repositoryFiles } from "./files.ts";
import {
  forbiddenSkips,
  parseResultLine,
  parseSummary,
  resultLine,
  skippedTests,
  sum,
  type TestResults,
} from "./test_results.ts";
import { tidy } from "./tidy.ts";

interface Outcome {
  readonly ok: boolean;
  readonly output: string;
}

interface Step {
  readonly name: string;
  readonly run: () => Promise<Outcome>;
}

const root = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const required = Deno.env.get("JOBLET_TESTS_REQUIRED") === "1";

/** A check that takes longer hangs; it is ended, and what it has printed tells where it stood. */
const DEADLINE_MS = 30 * 60 * 1000;

async function run(command: string, ...args: string[]): Promise<Outcome & { readonly code: number }> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd: root,
    stdin: "null",
    signal: AbortSignal.timeout(DEADLINE_MS),
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { ok: code === 0, code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

const deno = (...args: string[]) => run(Deno.execPath(), ...args);

async function checkTypes(): Promise<Outcome> {
  const files = (await repositoryFiles(root)).map(({ path }) => path).filter((path) => path.endsWith(".ts"));
  return await deno("check", "--quiet", ...files);
}

async function checkTidy(): Promise<Outcome> {
  const complaints = await tidy(root);
  return { ok: complaints.length === 0, output: complaints.join("\n") };
}

async function checkScripts(): Promise<Outcome> {
  const files = await repositoryFiles(root);
  const scripts = files.filter(({ text }) => text.startsWith("#!/bin/sh")).map(({ path }) => path);
  try {
    return await run("shellcheck", ...scripts);
  } catch (error) {
    // tests/run.sh installs it; a developer without it learns of a mistake from CI.
    if (error instanceof Deno.errors.NotFound && !required) return { ok: true, output: "" };
    throw error;
  }
}

const STEPS: readonly Step[] = [
  { name: "format", run: () => deno("fmt", "--check") },
  { name: "lint", run: () => deno("lint", "--quiet") },
  { name: "types", run: checkTypes },
  { name: "tidy", run: checkTidy },
  { name: "shell scripts", run: checkScripts },
  { name: "generated: proto/gen", run: () => deno("run", "-A", "proto/generate.ts", "--check") },
  { name: "generated: docs/AUTHORIZATION.md", run: () => deno("run", "-A", "tests/gate/authorization.ts", "--check") },
  { name: "generated: ffi/native", run: () => deno("run", "-A", "ffi/native/build.ts", "--check") },
];

type Tested = Outcome & { readonly results: TestResults };

/** Tests that take long because they mostly wait: for servers, jobs and deadlines. */
const WAITING = ["tests/e2e", "tests/faults"];

/** The others run beside the first of those, which leave half of the machine idle and look at no time that is short. */
async function test(): Promise<Tested> {
  const [waiting, others] = await Promise.all([runTests(...WAITING), runTests(`--ignore=${WAITING.join(",")}`)]);
  return {
    ok: waiting.ok && others.ok,
    output: [waiting, others].filter(({ ok }) => !ok).map(({ output }) => output).join("\n"),
    results: sum(waiting.results, others.results),
  };
}

async function runTests(...which: string[]): Promise<Tested> {
  const junit = await Deno.makeTempFile({ prefix: "joblet-junit-" });
  try {
    // Types have been checked by then.
    const { code, output } = await deno("test", "-A", "--no-check", `--junit-path=${junit}`, ...which);
    const results = parseSummary(output, code);
    const skips = forbiddenSkips(skippedTests(await Deno.readTextFile(junit)));
    if (!required || skips.length === 0) return { ok: results.failed === 0, output: failures(output), results };
    const complaint = `Skipped, though JOBLET_TESTS_REQUIRED is set:\n${skips.map((name) => `  ${name}`).join("\n")}`;
    return {
      ok: false,
      output: results.failed === 0 ? complaint : `${failures(output)}\n${complaint}`,
      results: { ...results, failed: results.failed + skips.length, skipped: results.skipped - skips.length },
    };
  } finally {
    await Deno.remove(junit);
  }
}

/** Limits and probes in a guest. */
async function probe(): Promise<Tested> {
  const { ok, output } = await deno("run", "-A", "tests/probes/main.ts");
  const results = parseResultLine(output);
  return { ok: ok && results.failed === 0, output, results };
}

/** The part that tells what failed; the end of it all if there is no such part, as after a crash. */
function failures(output: string): string {
  const start = output.search(/^ ERRORS /m);
  return start < 0 ? output.split("\n").slice(-200).join("\n") : output.slice(start);
}

/** Runs a step and prints its line. */
async function timed<Result extends Outcome>(name: string, step: () => Promise<Result>): Promise<Result> {
  const start = performance.now();
  const result = await step();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${result.ok ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  if (!result.ok) console.log(result.output.trimEnd());
  return result;
}

async function main(): Promise<number> {
  for (const { name, run } of STEPS) {
    if ((await timed(name, run)).ok) continue;
    console.log(resultLine({ passed: 0, failed: 1, skipped: 0 }));
    return 1;
  }
  const tests = await timed("tests", test);
  if (!required) {
    console.log(resultLine(tests.results));
    return tests.ok ? 0 : 1;
  }
  const probes = await timed("limits and probes in a guest", probe);
  console.log(resultLine(sum(tests.results, probes.results)));
  return tests.ok && probes.ok ? 0 : 1;
}

Deno.exit(await main());
