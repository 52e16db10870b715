import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { ResourceUsageSchema } from "../../proto/gen/joblet/v1/job_pb.ts";
import { usageJson, usageLines } from "./usage.ts";

const running = create(ResourceUsageSchema, {
  cpuUser: { seconds: 1n, nanos: 500_000_000 },
  cpuSystem: { seconds: 0n, nanos: 20_000_000 },
  memoryBytes: 1n << 20n,
  memoryPeakBytes: 2n << 20n,
  ioReadBytes: 4096n,
  ioReadOps: 1n,
  ioWriteBytes: 0n,
  ioWriteOps: 0n,
  pids: 3n,
  pidsPeak: 5n,
  cpuPressure: { someAvg10: 12.5, fullAvg10: 3, someTotalUs: 1_500_000n, fullTotalUs: 9n },
  ioPressure: { someAvg10: 0, someTotalUs: 0n },
});

Deno.test("usageLines tells what a job uses now and has used", () => {
  const lines = usageLines(running).filter(([, value]) => value !== undefined);
  assert.deepEqual(Object.fromEntries(lines), {
    "CPU time": "1.5s user, 20ms system",
    "Memory": "1 MiB",
    "Peak memory": "2 MiB",
    "Processes": "3",
    "Peak processes": "5",
    "Read": "4 KiB in 1 reads",
    "Written": "0 B in 0 writes",
    "Waited for CPU": "1.5s (some 12.5 %, all 3 % of the last 10s)",
  });
  assert.deepEqual(usageLines(undefined), []);
  assert.equal(usageLines(create(ResourceUsageSchema)).every(([, value]) => value === undefined), true);
});

Deno.test("usageLines of an ended job tells how long it waited, without shares", () => {
  const ended = create(ResourceUsageSchema, { memoryPressure: { someTotalUs: 2000n } });
  assert.deepEqual(usageLines(ended).find(([label]) => label === "Waited for memory"), ["Waited for memory", "2ms"]);
});

Deno.test("usageJson has every key, null for what was not measured", () => {
  assert.deepEqual(usageJson(running).cpu_pressure, {
    some_avg10: 12.5,
    full_avg10: 3,
    some_total_us: 1_500_000,
    full_total_us: 9,
  });
  const { cpu_pressure: _, io_pressure: __, ...numbers } = usageJson(running);
  assert.deepEqual(numbers, {
    cpu_user_seconds: 1.5,
    cpu_system_seconds: 0.02,
    memory_bytes: 1 << 20,
    memory_peak_bytes: 2 << 20,
    io_read_bytes: 4096,
    io_write_bytes: 0,
    io_read_ops: 1,
    io_write_ops: 0,
    pids: 3,
    pids_peak: 5,
    memory_pressure: null,
  });
  assert.deepEqual(new Set(Object.values(usageJson(undefined))), new Set([null]));
});
