import assert from "node:assert/strict";
import { EngineError } from "../errors.ts";
import type { LimitsInput } from "./spec.ts";
import { NUMERIC_LIMITS, parseLimits } from "./validate_limits.ts";

Deno.test("parseLimits keeps what is given and leaves the rest absent", () => {
  assert.deepEqual(parseLimits({}), {});
  assert.deepEqual(parseLimits({ cpuPercent: undefined, cpuCores: "", ioDevice: "" }), {});
  const limits = parseLimits({
    cpuPercent: 250,
    cpuWeight: 10_000,
    cpuCores: "3,0-1",
    memoryBytes: 2n << 30n,
    memoryHighBytes: 1n << 30n,
    pids: 1,
    ioBytesPerSecond: 1n,
    ioReadBytesPerSecond: 2n,
    ioWriteBytesPerSecond: 3n,
    ioReadOpsPerSecond: 4,
    ioWriteOpsPerSecond: 5,
    ioWeight: 1,
    ioDevice: "/dev/disk/by-id/nvme-x_1",
    diskBytes: 1n << 20n,
    diskInodes: 16n,
    openFiles: 8,
  });
  assert.deepEqual(limits, {
    cpuPercent: 250,
    memoryBytes: 2 ** 31,
    ioBytesPerSecond: 1,
    cpuWeight: 10_000,
    memoryHighBytes: 2 ** 30,
    pids: 1,
    ioReadBytesPerSecond: 2,
    ioWriteBytesPerSecond: 3,
    ioReadOpsPerSecond: 4,
    ioWriteOpsPerSecond: 5,
    ioWeight: 1,
    diskBytes: 2 ** 20,
    diskInodes: 16,
    openFiles: 8,
    cpuCores: [0, 1, 3],
    ioDevice: "/dev/disk/by-id/nvme-x_1",
  });
  assert.equal(Object.keys(limits).length, NUMERIC_LIMITS.length + 2, "every limit");
});

const REFUSED: readonly [LimitsInput, RegExp][] = [
  [{ cpuPercent: 0 }, /CPU limit 0: .*at least 1/],
  [{ cpuPercent: 1.5 }, /whole percentage/],
  [{ cpuPercent: 819_201 }, /at most 819200/],
  [{ cpuWeight: 0 }, /CPU weight 0: .*1 to 10000/],
  [{ cpuWeight: 10_001 }, /CPU weight 10001/],
  [{ cpuCores: "3-1" }, /core list '3-1'/],
  [{ memoryBytes: 4096n }, /memory limit 4096 bytes: .*at least 1 MiB/],
  [{ memoryBytes: 1n << 60n }, /too large/],
  [{ memoryHighBytes: 1 }, /soft memory limit 1 bytes/],
  [{ memoryBytes: 2n << 20n, memoryHighBytes: 2n << 20n }, /soft memory limit .*below the memory limit/],
  [{ pids: 0 }, /process limit 0: .*1 to 4194304/],
  [{ pids: 4_194_305 }, /process limit 4194305/],
  [{ ioBytesPerSecond: 0n }, /I\/O limit 0 bytes per second: .*at least 1/],
  [{ ioReadBytesPerSecond: 0n }, /read limit/],
  [{ ioWriteBytesPerSecond: 0n }, /write limit/],
  [{ ioReadOpsPerSecond: 0 }, /reads per second/],
  [{ ioWriteOpsPerSecond: 2 ** 32 }, /writes per second/],
  [{ ioWeight: 10_001 }, /I\/O weight/],
  [{ ioDevice: "254:0" }, /without an I\/O limit/],
  [{ ioDevice: "sda", ioWeight: 5 }, /I\/O device "sda": .*\/dev/],
  [{ ioDevice: "/dev/\0", ioWeight: 5 }, /I\/O device/],
  [{ diskBytes: 1n }, /disk limit/],
  [{ diskInodes: 1n }, /limit of files 1: .*from 16/],
  [{ openFiles: 3 }, /open files 3: .*8 to 1048576/],
];

for (const [input, message] of REFUSED) {
  const shown = JSON.stringify(input, (_, value) => typeof value === "bigint" ? String(value) : value);
  Deno.test(`parseLimits refuses ${shown} and says why in one line`, () => {
    assert.throws(() => parseLimits(input), (error: unknown) => {
      assert(error instanceof EngineError && error.kind === "invalid", String(error));
      assert.match(error.message, message);
      assert(!error.message.includes("\n") && error.message.length < 300);
      return true;
    });
  });
}
