/**
 * Runs in the guest, as one process: limits, then probes with their twins. guest_main.ts [--proofs] [NAME...] runs those alone,
 * and tells what each twin did. The last line is `N passed, N failed`.
 */
// deno-lint-ignore-file no-console -- A script: what it prints is its result.
import { LIMIT_CHECKS } from "../guest/limits/all.ts";
import { CAPPED } from "../guest/limits/user.ts";
import { resultLine } from "../gate/test_results.ts";
import { nameOf, PROBES } from "./all.ts";
import { Lab } from "./lab.ts";
import { LOG_BYTES } from "./output.ts";
import { type Outcome, runProbe } from "./run_probe.ts";
import { unlessSlow } from "./slow.ts";
import { HostWatch } from "./watch.ts";

/** On the guest's own disk: limits of disk speed need one. */
const HOME = "/disk/joblet";
const TRUE_MS = 4000;

const proofs = Deno.args.includes("--proofs");
const wanted = new Set(Deno.args.filter((arg) => arg !== "--proofs"));
const chosen = (name: string, number?: number) =>
  wanted.size === 0 || wanted.has(name) || (number !== undefined && wanted.has(String(number)));

const known = new Set([
  ...LIMIT_CHECKS.map(({ name }) => name),
  ...PROBES.flatMap((p) => [nameOf(p), String(p.number)]),
]);
const unknown = [...wanted].filter((name) => !known.has(name));
if (unknown.length > 0) throw new Error(`There is no limit or probe named ${unknown.join(", ")}`);

let passed = 0;
let failed = 0;

function tell(
  name: string,
  verdicts: readonly (readonly [string, string | undefined])[],
  ms: number,
  title: string,
): void {
  for (const [, verdict] of verdicts) verdict === undefined ? passed++ : failed++;
  const marks = verdicts.map(([kind, verdict]) => `${kind} ${verdict === undefined ? "ok" : "FAILED"}`).join(", ");
  console.log(`${name.padEnd(22)} ${marks.padEnd(32)} ${String(Math.round(ms)).padStart(6)} ms  ${title}`);
  for (const [kind, verdict] of verdicts) {
    if (verdict !== undefined) console.log(`    ${kind}: ${verdict.replaceAll("\n", "\n    ")}`);
  }
}

function tellProbe({ probe, verdict, twin, ms }: Outcome): void {
  const own = ["probe", verdict] as const;
  const none = "none" in probe.twin ? ` [no twin: ${probe.twin.none}]` : ` [without ${probe.twin.off}]`;
  tell(nameOf(probe), twin ? [own, ["twin", twin.verdict]] : [own], ms, probe.title + none);
  if (proofs && twin?.proof) console.log(`    proof: ${twin.proof.replaceAll(/\s+/g, " ").slice(0, 300)}`);
}

/** The host's file server keeps a file open for each that this kernel remembers, and may have only so many. */
const MANY_FILES = 5000;

function forgetFiles(): void {
  const [all, unused] = Deno.readTextFileSync("/proc/sys/fs/dentry-state").split(/\s+/).map(Number);
  if (all! > MANY_FILES && unused! > 0) Deno.writeTextFileSync("/proc/sys/vm/drop_caches", "2", { create: false });
}

async function main(): Promise<void> {
  Deno.env.set("JOBLET_PROBE_SECRET", "of the server");
  const sharedLimits = { all: {}, user: {}, users: new Map([["capped", CAPPED]]) };
  await using lab = await Lab.open({ home: HOME, limits: true, config: { logBytesPerRun: LOG_BYTES, sharedLimits } });
  // The first job of all makes what later ones share.
  await lab.run({ command: ["true"] });
  const watch = await HostWatch.start(lab, { trueMs: TRUE_MS, alone: true });
  for (const check of LIMIT_CHECKS.filter(({ name }) => chosen(name))) {
    const begun = performance.now();
    let figure = "";
    let verdict: string | undefined;
    try {
      figure = await unlessSlow(() => check.run(lab));
      await watch.check();
    } catch (error) {
      verdict = error instanceof Error ? error.message : String(error);
    }
    tell(check.name, [["limit", verdict]], performance.now() - begun, `${check.title}: ${figure}`);
  }
  for (
    const probe of PROBES.filter((probe) => probe.landlockAbi === undefined && chosen(nameOf(probe), probe.number))
  ) {
    tellProbe(await runProbe(probe, lab, watch, true));
    forgetFiles();
  }
}

await main();
console.log(resultLine({ passed, failed, skipped: 0 }));
// At once: deadlines that were not needed would keep the process for as long as the longest of them.
Deno.exit(failed > 0 ? 1 : 0);
