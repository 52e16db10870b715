/** Speed of the disk that kept work lies on. */
import { between, exitCode, shown } from "../../probes/expect.ts";
import assert from "node:assert/strict";
import type { Lab } from "../../probes/lab.ts";
import { type ProbeJob, sh } from "../../probes/probe.ts";
import { type LimitCheck, MIB } from "./check.ts";

/** Prints nanoseconds of each half: what the kernel lets through at once at the beginning is not the rate. */
const timed = (command: string) => sh(`set -e; ${command} 2>/dev/null; date +%s%N; ${command} 2>/dev/null; date +%s%N`);

async function nanoseconds(lab: Lab, job: ProbeJob): Promise<number> {
  const result = await lab.run({ ...job, work: "kept" });
  assert.equal(exitCode(result), 0, shown(result));
  const [begun, ended] = result.out.trim().split("\n").map(Number);
  return ended! - begun!;
}

const WRITTEN = 12 * MIB;
const RATE = 4 * MIB;

async function rate(lab: Lab, limits: ProbeJob["limits"]): Promise<string> {
  const command = timed(`dd if=/dev/zero of=x oflag=direct bs=64k count=${WRITTEN / 65536} conv=notrunc`);
  const perSecond = WRITTEN / (await nanoseconds(lab, { command, limits: limits! }) / 1e9);
  between(perSecond, RATE * 0.85, RATE * 1.15, "bytes a second");
  return `${(perSecond / MIB).toFixed(2)} MiB/s of ${RATE / MIB}`;
}

export const DISK_CHECKS: readonly LimitCheck[] = [
  {
    name: "io-bytes",
    title: "direct writes at 4 MiB/s",
    run: (lab) => rate(lab, { ioBytesPerSecond: RATE }),
  },
  {
    name: "io-write-bytes",
    title: "direct writes at 4 MiB/s, reads faster",
    run: (lab) => rate(lab, { ioBytesPerSecond: 100 * MIB, ioWriteBytesPerSecond: RATE }),
  },
  {
    name: "io-write-ops",
    title: "direct writes at 40 a second",
    run: async (lab) => {
      const command = timed("dd if=/dev/zero of=x oflag=direct bs=4k count=120 conv=notrunc");
      const perSecond = 120 / (await nanoseconds(lab, { command, limits: { ioWriteOpsPerSecond: 40 } }) / 1e9);
      between(perSecond, 40 * 0.85, 40 * 1.15, "writes a second");
      return `${perSecond.toFixed(1)} writes a second`;
    },
  },
];
