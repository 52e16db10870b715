import assert from "node:assert/strict";
import { memoryDetail, pidsDetail } from "./end_facts.ts";

const MIB = 1024 * 1024;

Deno.test("memoryDetail tells whose limit of memory was reached", () => {
  const own = { memoryBytes: 64 * MIB };
  const total = { memoryBytes: 128 * MIB };
  assert.equal(memoryDetail(own, total, true), "it reached its limit of 64 MiB of memory");
  assert.match(memoryDetail(own, total, false), /the jobs of its user reached their limit of 128 MiB/);
  assert.match(memoryDetail({}, total, true), /the jobs of its user/);
  assert.equal(memoryDetail(own, {}, false), "the host ran out of memory");
});

Deno.test("pidsDetail tells which limits of processes it may have been", () => {
  assert.equal(pidsDetail({ pids: 64 }, {}), "it reached its limit of 64 processes");
  assert.match(pidsDetail({ pids: 64 }, { pids: 99 }), /its limit of 64 processes, or the jobs of its user .* of 99/);
  assert.match(pidsDetail({ pids: 64 }, { pids: 99 }, 64), /its limit of 64 processes, or/);
  assert.match(pidsDetail({ pids: 4096 }, { pids: 99 }, 90), /^the jobs of its user .* of 99/, "it never had so many");
  assert.equal(pidsDetail({}, { pids: 99 }), "the jobs of its user reached their limit of 99 processes together");
  assert.equal(pidsDetail({}, {}), "the host's limit of processes was reached");
});
