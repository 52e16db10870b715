import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { LimitsSchema } from "../../proto/gen/joblet/v1/job_pb.ts";
import { limitLines, limitsJson } from "./limits.ts";

const all = create(LimitsSchema, {
  cpuPercent: 150,
  cpuWeight: 300,
  cpuCores: "0-1",
  memoryBytes: 512n << 20n,
  memoryHighBytes: 400n << 20n,
  pids: 64,
  ioBytesPerSecond: 10n << 20n,
  ioReadBytesPerSecond: 1024n,
  ioWriteBytesPerSecond: 2048n,
  ioReadOpsPerSecond: 10,
  ioWriteOpsPerSecond: 20,
  ioWeight: 50,
  ioDevice: "8:0",
  diskBytes: 1n << 30n,
  diskInodes: 1000n,
  openFiles: 256,
});

Deno.test("limitsJson has every limit, in bytes, and null for what is not set", () => {
  assert.deepEqual(limitsJson(all), {
    max_cpu: 150,
    cpu_weight: 300,
    cpu_cores: "0-1",
    max_memory: 536870912,
    memory_high: 419430400,
    max_pids: 64,
    max_iobps: 10485760,
    max_read_bps: 1024,
    max_write_bps: 2048,
    max_read_iops: 10,
    max_write_iops: 20,
    io_weight: 50,
    io_device: "8:0",
    max_disk: 1073741824,
    max_disk_inodes: 1000,
    max_open_files: 256,
  });
  assert.deepEqual(new Set(Object.values(limitsJson(undefined))), new Set([null]));
  assert.deepEqual(Object.keys(limitsJson(create(LimitsSchema))), Object.keys(limitsJson(all)));
});

Deno.test("limitLines tells the limits that are set, with their units", () => {
  assert.deepEqual(Object.fromEntries(limitLines(all)), {
    "CPU limit": "150 % of a core",
    "CPU weight": "300",
    "CPU cores": "0-1",
    "Memory limit": "512 MiB",
    "Soft memory limit": "400 MiB",
    "Process limit": "64",
    "I/O limit": "10 MiB/s",
    "Read limit": "1 KiB/s",
    "Write limit": "2 KiB/s",
    "Reads limit": "10/s",
    "Writes limit": "20/s",
    "I/O weight": "50",
    "I/O device": "8:0",
    "Disk limit": "1 GiB",
    "Files limit": "1000",
    "Open files limit": "256",
  });
  assert.deepEqual(limitLines(create(LimitsSchema)), []);
});
