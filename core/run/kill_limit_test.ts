import assert from "node:assert/strict";
import { killLimit } from "./kill_limit.ts";

const MIB = 1024 * 1024;

Deno.test("killLimit gives the percentage at which a job dies, and slows it from its limit on where that is less", () => {
  const asked = { memoryBytes: 100 * MIB, pids: 5 };
  assert.deepEqual(killLimit(asked, 100), asked);
  assert.deepEqual(killLimit(asked, 150), { pids: 5, memoryBytes: 150 * MIB, memoryHighBytes: 100 * MIB });
  assert.deepEqual(killLimit({ ...asked, memoryHighBytes: MIB }, 150), {
    pids: 5,
    memoryBytes: 150 * MIB,
    memoryHighBytes: MIB,
  });
  assert.deepEqual(killLimit(asked, 90), { pids: 5, memoryBytes: 90 * MIB });
  assert.deepEqual(killLimit({ memoryBytes: 1_048_577 }, 99), { memoryBytes: 1_038_091 }, "whole bytes");
  assert.deepEqual(killLimit({ pids: 5 }, 150), { pids: 5 }, "nothing was asked for");
});
