/** Runs a probe, then its twin, and says what came of both. */
import { AssertionError } from "node:assert/strict";
import type { Lab } from "./lab.ts";
import type { Probe, ProbeJob, Twin } from "./probe.ts";
import { unlessSlow } from "./slow.ts";
import type { HostWatch } from "./watch.ts";

/** Undefined if all is well, else what is not. */
export type Verdict = string | undefined;

export interface Outcome {
  readonly probe: Probe;
  readonly verdict: Verdict;
  /** Absent where there is no twin. */
  readonly twin?: TwinOutcome;
  readonly ms: number;
}

export interface TwinOutcome {
  readonly verdict: Verdict;
  /** What the probe said of the attack that came through. */
  readonly proof?: string;
}

/** @param twins whether to run them: never on a host */
export async function runProbe(probe: Probe, lab: Lab, watch: HostWatch, twins: boolean): Promise<Outcome> {
  const begun = performance.now();
  const verdict = await failureOf(async () => {
    await unlessSlow(() => attack(probe, lab));
    await watch.check();
  });
  if (!twins || "none" in probe.twin) return { probe, verdict, ms: performance.now() - begun };
  const twin = await judgeTwin(probe, probe.twin, lab, watch);
  return { probe, verdict, twin, ms: performance.now() - begun };
}

/** A twin must fail, and by what the probe looks at: a sandbox that can't be made, or another error, proves nothing. */
async function judgeTwin(
  probe: Probe,
  twin: Exclude<Twin, { none: string }>,
  lab: Lab,
  watch: HostWatch,
): Promise<TwinOutcome> {
  try {
    await attack(probe, lab, twin);
  } catch (error) {
    if (!(error instanceof AssertionError)) return { verdict: `twin: ${messageOf(error)}` };
    return { verdict: await failureOf(() => watch.check()), proof: error.message };
  }
  return { verdict: `passes without ${twin.off}` };
}

async function attack(probe: Probe, lab: Lab, twin?: Exclude<Twin, { none: string }>): Promise<void> {
  if ("script" in probe) return await probe.script(lab, twin !== undefined);
  const job: ProbeJob = { ...typeof probe.job === "function" ? await probe.job(lab) : probe.job, ...twin?.job };
  const kept = await Promise.all(
    (probe.keeps ?? []).map(async (path) => [path, await Deno.readTextFile(path)] as const),
  );
  try {
    const result = await lab.run(job, twin?.alter, probe.act);
    probe.expect(result, lab);
    for (const [path, text] of kept) {
      if (await Deno.readTextFile(path) !== text) throw new AssertionError({ message: `${path} was changed` });
    }
  } finally {
    for (const [path, text] of kept) await Deno.writeTextFile(path, text);
  }
}

async function failureOf(action: () => Promise<void>): Promise<Verdict> {
  try {
    await action();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof AssertionError ? error.message : `${error.name}: ${error.message}`;
}
