/** Jobs that print too much, or the wrong thing. */
import assert from "node:assert/strict";
import { plans } from "./alter.ts";
import { between, shown } from "./expect.ts";
import type { LiveJob } from "./lab.ts";
import { type Probe, sh } from "./probe.ts";

const MIB = 1024 * 1024;
/** The lab's `logBytesPerRun`. */
export const LOG_BYTES = 8 * MIB;
const RSS_BYTES = 64 * MIB;

const noCap = plans((plan) => ({ ...plan, logBytes: 0 }));

/** How much the server grows while the job prints all that it can. */
async function growth(live: LiveJob) {
  const before = Deno.memoryUsage().rss;
  let last = 0;
  let most = 0;
  for await (const job of live.lab.engine.watch(live.id, AbortSignal.timeout(60_000))) {
    last = job.version;
    most = Math.max(most, Deno.memoryUsage().rss);
  }
  return { growth: most - before, last };
}

/** Bytes of output that are missing, as the log says. */
async function missing(live: LiveJob): Promise<number> {
  let bytes = 0;
  for await (const { pieces } of live.lab.engine.logs(live.id, {}, AbortSignal.timeout(60_000))) {
    for (const { missingBytes } of pieces) bytes += missingBytes;
  }
  return bytes;
}

const act = async (live: LiveJob) => ({ ...await growth(live), missing: await missing(live) });

export const OUTPUT: readonly Probe[] = [
  {
    number: 45,
    title: "output without end",
    // So much, not so long: an emulated guest may be slow.
    job: { command: sh("yes | head -c 24M"), timeoutMs: 60_000 },
    act,
    expect: (result) => {
      const { usage } = result.job.status as { usage?: { logBytes?: number } };
      between(usage?.logBytes ?? NaN, 1, LOG_BYTES, "bytes of output kept");
      between(Number(result.facts["missing"]), MIB, Infinity, "bytes that the log says are missing");
      between(Number(result.facts["growth"]), -Infinity, RSS_BYTES, "growth of the server in bytes");
    },
    twin: { off: "the bound of a run's output", alter: noCap },
  },
  {
    number: 46,
    title: "output without a newline",
    job: { command: ["head", "-c", "64M", "/dev/zero"] },
    act,
    expect: (result) => {
      between(result.bytes.length, 1, LOG_BYTES, "bytes of output kept");
      between(result.bytes.length + Number(result.facts["missing"]), 64 * MIB, 64 * MIB, "bytes in all");
      between(Number(result.facts["growth"]), -Infinity, RSS_BYTES, "growth of the server in bytes");
    },
    twin: { off: "the bound of a run's output", alter: noCap },
  },
  {
    number: 47,
    title: "terminal control sequences are kept as they are",
    safeOnHost: true,
    job: { command: sh("printf '\\033]0;x\\007\\033[2J\\0\\377'") },
    expect: (result) => {
      assert.deepEqual([...result.bytes], [...new TextEncoder().encode("\x1b]0;x\x07\x1b[2J\0"), 0xff], shown(result));
    },
    twin: { none: "nothing changes bytes on their way; how they are shown is tested with the command line" },
  },
];
