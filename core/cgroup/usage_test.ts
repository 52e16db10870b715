import assert from "node:assert/strict";
import { parseIoStat, parsePressure, readEndUsage, readLiveUsage } from "./usage.ts";

const FILES: Readonly<Record<string, string>> = {
  "cpu.stat": "usage_usec 3500\nuser_usec 2500\nsystem_usec 1000\nnr_periods 0\n",
  "memory.current": "4096\n",
  "memory.peak": "8192\n",
  "pids.current": "3\n",
  "pids.peak": "5\n",
  "io.stat": "8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=9 dios=9\n254:0 rbytes=1 wbytes=2 rios=3 wios=4\n",
  "cpu.pressure": "some avg10=1.50 avg60=0.00 avg300=0.00 total=77\n",
  "io.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\nfull avg10=0.25 avg60=0.00 avg300=0.00 total=4\n",
};

const TOTALS = {
  cpuUserMs: 2.5,
  cpuSystemMs: 1,
  memoryPeakBytes: 8192,
  pidsPeak: 5,
  ioReadBytes: 11,
  ioWriteBytes: 22,
  ioReadOps: 4,
  ioWriteOps: 6,
};

Deno.test("readLiveUsage tells what is used now, with pressure of the last ten seconds", () => {
  assert.deepEqual(readLiveUsage((file) => FILES[file]), {
    ...TOTALS,
    memoryBytes: 4096,
    pids: 3,
    pressure: {
      cpu: { someTotalUs: 77, someAvg10: 1.5 },
      io: { someTotalUs: 5, fullTotalUs: 4, someAvg10: 0, fullAvg10: 0.25 },
    },
  });
  assert.deepEqual(readLiveUsage(() => undefined), {});
});

Deno.test("readEndUsage tells totals only, and reads no file in vain", () => {
  const seen: string[] = [];
  const read = (file: string) => {
    seen.push(file);
    return FILES[file];
  };
  assert.deepEqual(readEndUsage(read, new Set(["cpu", "memory", "io", "pids"])), {
    ...TOTALS,
    pressure: { cpu: { someTotalUs: 77 }, io: { someTotalUs: 5, fullTotalUs: 4 } },
  });
  seen.length = 0;
  assert.deepEqual(readEndUsage(read, new Set()), { cpuUserMs: 2.5, cpuSystemMs: 1 });
  assert.deepEqual(seen, ["cpu.stat"]);
});

Deno.test("parseIoStat of a job that did no I/O is 0, without the file nothing", () => {
  assert.deepEqual(parseIoStat(""), { ioReadBytes: 0, ioWriteBytes: 0, ioReadOps: 0, ioWriteOps: 0 });
  assert.deepEqual(parseIoStat("254:0  cost.usage=0\n").ioReadBytes, 0);
  assert.deepEqual(parseIoStat(undefined), {});
});

Deno.test("parsePressure without pressure in the kernel is undefined", () => {
  assert.equal(parsePressure(undefined, true), undefined);
  assert.equal(parsePressure("", true), undefined);
});
