import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import type { Limits } from "../../../core/jobs/spec.ts";
import { NUMERIC_LIMITS, parseLimits } from "../../../core/jobs/validate_limits.ts";
import { LimitsSchema } from "../../../proto/gen/joblet/v1/job_pb.ts";
import { limitsFromProto, limitsToProto } from "./convert_limits.ts";

Deno.test("limits come back from the wire as they went, every one of them", () => {
  // Each its own, so that two that were mixed up are noticed.
  const numbers = Object.fromEntries(NUMERIC_LIMITS.map((key, index) => [key, (2 << 20) - 20 * index]));
  const limits: Limits = {
    ...numbers,
    cpuPercent: 7,
    cpuWeight: 8,
    ioWeight: 9,
    openFiles: 10,
    cpuCores: [0, 1],
    ioDevice: "8:0",
  };
  assert.deepEqual(parseLimits(limitsFromProto(limitsToProto(limits))), limits);
  assert.equal(Object.keys(limits).length, Object.keys(LimitsSchema.field).length, "a field of the wire has no limit");
});

Deno.test("limits that are unset stay unset, both ways", () => {
  assert.deepEqual(limitsFromProto(create(LimitsSchema)), {});
  assert.deepEqual(limitsToProto({}), create(LimitsSchema));
});

Deno.test("a limit of 0 is passed on, to be refused", () => {
  assert.deepEqual(limitsFromProto(create(LimitsSchema, { pids: 0, diskBytes: 0n })), { pids: 0, diskBytes: 0n });
});
