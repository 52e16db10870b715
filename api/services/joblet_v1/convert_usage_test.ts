import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { ResourceUsageSchema } from "../../../proto/gen/joblet/v1/job_pb.ts";
import { usageToProto } from "./convert_usage.ts";

Deno.test("usageToProto passes every figure on", () => {
  const message = usageToProto({
    cpuUserMs: 1500,
    cpuSystemMs: 0,
    memoryBytes: 1,
    memoryPeakBytes: 2,
    ioReadBytes: 3,
    ioWriteBytes: 4,
    ioReadOps: 5,
    ioWriteOps: 0,
    pids: 6,
    pidsPeak: 7,
    pressure: {
      cpu: { someTotalUs: 8, someAvg10: 0.5 },
      memory: { someTotalUs: 0 },
      io: { someTotalUs: 9, fullTotalUs: 10, someAvg10: 1, fullAvg10: 0 },
    },
  });
  assert.deepEqual(
    message,
    create(ResourceUsageSchema, {
      cpuUser: { seconds: 1n, nanos: 500_000_000 },
      cpuSystem: { seconds: 0n, nanos: 0 },
      memoryBytes: 1n,
      memoryPeakBytes: 2n,
      ioReadBytes: 3n,
      ioWriteBytes: 4n,
      ioReadOps: 5n,
      ioWriteOps: 0n,
      pids: 6n,
      pidsPeak: 7n,
      cpuPressure: { someTotalUs: 8n, someAvg10: 0.5 },
      memoryPressure: { someTotalUs: 0n },
      ioPressure: { someTotalUs: 9n, fullTotalUs: 10n, someAvg10: 1, fullAvg10: 0 },
    }),
  );
});

Deno.test("usageToProto leaves unset what was not measured", () => {
  assert.deepEqual(usageToProto({ logBytes: 5 }), create(ResourceUsageSchema));
});
