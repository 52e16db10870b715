import assert from "node:assert/strict";
import { memoryDetail, pidsDetail } from "./end_facts.ts";

const MIB = 1024 * 1024;
const NONE = { user: {}, all: {} };
const USER = { user: { pids: 99 }, all: {} };

Deno.test("memoryDetail tells whose limit of memory was reached", () => {
  const own = { memoryBytes: 64 * MIB };
  const total = { user: { memoryBytes: 128 * MIB }, all: {} };
  assert.equal(memoryDetail(own, total, true), "it reached its limit of 64 MiB of memory");
  assert.match(memoryDetail(own, total, false), /the jobs of its user reached their limit of 128 MiB/);
  assert.match(memoryDetail({}, total, true), /the jobs of its user/);
  assert.equal(memoryDetail(own, NONE, false), "the host ran out of memory");
  assert.equal(
    memoryDetail(own, { ...total, all: { memoryBytes: 512 * MIB } }, false),
    "the jobs of its user reached their limit of 128 MiB of memory together, all jobs reached their limit of 512 MiB of " +
      "memory together, or the host its own",
  );
});

Deno.test("pidsDetail tells which limits of processes it may have been", () => {
  assert.equal(pidsDetail({ pids: 64 }, NONE), "it reached its limit of 64 processes");
  assert.match(pidsDetail({ pids: 64 }, USER), /its limit of 64 processes, or the jobs of its user .* of 99/);
  assert.match(pidsDetail({ pids: 64 }, USER, 64), /its limit of 64 processes, or/);
  assert.match(pidsDetail({ pids: 4096 }, USER, 90), /^the jobs of its user .* of 99/, "it never had so many");
  assert.equal(pidsDetail({}, USER), "the jobs of its user reached their limit of 99 processes together");
  assert.equal(
    pidsDetail({ pids: 4096 }, { user: {}, all: { pids: 500 } }, 20),
    "all jobs reached their limit of 500 processes together",
  );
  assert.equal(pidsDetail({}, NONE), "the host's limit of processes was reached");
});
