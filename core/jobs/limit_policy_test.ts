import assert from "node:assert/strict";
import { EngineError } from "../errors.ts";
import { applyPolicy, type LimitPolicies, type LimitPolicy, limitText, policyOf } from "./limit_policy.ts";
import type { Limits } from "./spec.ts";

const NONE: LimitPolicy = { default: {}, ceiling: {} };

function apply(asked: Limits, policy: Partial<LimitPolicy>, builtIn = {}): Limits {
  return applyPolicy(asked, { ...NONE, ...policy }, builtIn);
}

Deno.test("applyPolicy without a policy changes nothing", () => {
  const asked = { cpuPercent: 5, cpuCores: [1], ioWeight: 7, ioDevice: "8:0" };
  assert.deepEqual(apply(asked, {}), asked);
  assert.deepEqual(apply({}, {}), {});
});

Deno.test("applyPolicy gives the default, or else the ceiling, to a job that names no limit", () => {
  const policy = { default: { cpuPercent: 50 }, ceiling: { cpuPercent: 200, memoryBytes: 1 << 20 } };
  assert.deepEqual(apply({}, policy), { cpuPercent: 50, memoryBytes: 1 << 20 });
  assert.deepEqual(apply({ cpuPercent: 150 }, policy), { cpuPercent: 150, memoryBytes: 1 << 20 });
  assert.deepEqual(apply({}, { default: { pids: 99 }, ceiling: { pids: 9 } }), { pids: 9 }, "never above the ceiling");
});

Deno.test("applyPolicy does not limit what is below its ceiling without a limit", () => {
  assert.deepEqual(apply({}, { ceiling: { cpuWeight: 500, ioWeight: 100, openFiles: 65_536 } }), {});
  const low = { cpuWeight: 50, ioWeight: 20, openFiles: 64 };
  assert.deepEqual(apply({}, { ceiling: low }), low);
});

Deno.test("applyPolicy gives what is built in where nobody says anything, and no more than the ceiling", () => {
  const builtIn = { pids: 4096 };
  assert.deepEqual(apply({}, {}, builtIn), builtIn);
  assert.deepEqual(apply({ pids: 9999 }, {}, builtIn), { pids: 9999 });
  assert.deepEqual(apply({}, { default: { pids: 5 } }, builtIn), { pids: 5 });
  assert.deepEqual(apply({}, { ceiling: { pids: 100_000 } }, builtIn), builtIn);
  assert.deepEqual(apply({}, { ceiling: { pids: 100 } }, builtIn), { pids: 100 });
  assert.deepEqual(apply({}, { ceiling: { pids: 100 } }), { pids: 100 }, "the administrator's, whatever the host has");
});

Deno.test("applyPolicy refuses what is above a ceiling, which it tells with the flag", () => {
  const refused = (asked: Limits, ceiling: Limits, message: RegExp) =>
    assert.throws(() => apply(asked, { ceiling }), (error: unknown) => {
      assert(error instanceof EngineError && error.kind === "precondition");
      assert.match(error.message, message);
      return true;
    });
  refused({ memoryBytes: 2 << 20 }, { memoryBytes: 1 << 20 }, /--max-memory 2 MiB: .*at most 1 MiB$/);
  refused({ cpuPercent: 201 }, { cpuPercent: 200 }, /--max-cpu 201 %: .*at most 200 %$/);
  refused({ ioReadBytesPerSecond: 9 }, { ioBytesPerSecond: 5 }, /--max-read-bps 9 B\/s: .*at most 5 B\/s$/);
  refused({ ioBytesPerSecond: 9 }, { ioWriteBytesPerSecond: 5 }, /--max-iobps 9 B\/s: .*at most 5 B\/s$/);
  refused({ ioReadOpsPerSecond: 9 }, { ioReadOpsPerSecond: 5 }, /--max-read-iops 9: .*at most 5$/);
});

Deno.test("applyPolicy lets no finer default win over a rate for reads and writes that was asked for", () => {
  const policy = { default: { ioWriteBytesPerSecond: 5 }, ceiling: { ioReadBytesPerSecond: 100 } };
  assert.deepEqual(apply({ ioBytesPerSecond: 50 }, policy), { ioBytesPerSecond: 50 });
  assert.deepEqual(apply({}, policy), { ioReadBytesPerSecond: 100, ioWriteBytesPerSecond: 5 });
  const both = { default: { ioBytesPerSecond: 50 } };
  assert.deepEqual(apply({ ioReadBytesPerSecond: 9 }, both), { ioBytesPerSecond: 50, ioReadBytesPerSecond: 9 });
});

Deno.test("policyOf lays an owner's own values over those of all", () => {
  const policies: LimitPolicies = {
    default: { cpuPercent: 50, pids: 10 },
    ceiling: { pids: 100 },
    builtIn: {},
    users: new Map([["ann", { default: { pids: 20 } }], ["bob", { ceiling: { cpuPercent: 60 } }]]),
  };
  assert.deepEqual(policyOf(policies, "eve").default, { cpuPercent: 50, pids: 10 });
  assert.deepEqual(policyOf(policies, "ann"), { default: { cpuPercent: 50, pids: 20 }, ceiling: { pids: 100 } });
  assert.deepEqual(policyOf(policies, "bob").ceiling, { pids: 100, cpuPercent: 60 });
});

Deno.test("limitText has the unit", () => {
  const texts = [
    limitText("cpuPercent", 5),
    limitText("memoryHighBytes", 1 << 20),
    limitText("ioBytesPerSecond", 1024),
    limitText("ioWriteBytesPerSecond", 1024),
    limitText("pids", 7),
  ];
  assert.deepEqual(texts, ["5 %", "1 MiB", "1 KiB/s", "1 KiB/s", "7"]);
});
