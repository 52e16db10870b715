import assert from "node:assert/strict";
import { stringify } from "@std/yaml";
import { homeAt } from "../../core/values/home.ts";
import { parseServerConfig } from "./config.ts";

const CERT = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const KEY = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
const minimal = { version: "3.0", security: { serverCert: CERT, serverKey: KEY, caCert: CERT } };
const MIB = 1024 * 1024;

function load(limits: unknown, joblet: unknown = {}) {
  const text = stringify({ ...minimal, joblet, limits });
  return parseServerConfig(text, "joblet-config.yml", homeAt("/opt/joblet")).engine;
}

const EVERY = {
  maxCpu: 150,
  cpuWeight: 200,
  maxMemory: "512M",
  memoryHigh: "400M",
  maxPids: 64,
  maxIobps: "10M",
  maxReadBps: "1K",
  maxWriteBps: 2048,
  maxReadIops: 10,
  maxWriteIops: 20,
  ioWeight: 50,
};
const SHARED = {
  cpuPercent: 150,
  cpuWeight: 200,
  memoryBytes: 512 * MIB,
  memoryHighBytes: 400 * MIB,
  pids: 64,
  ioBytesPerSecond: 10 * MIB,
  ioReadBytesPerSecond: 1024,
  ioWriteBytesPerSecond: 2048,
  ioReadOpsPerSecond: 10,
  ioWriteOpsPerSecond: 20,
  ioWeight: 50,
};
const OWN = { maxDisk: "1G", maxDiskInodes: 1000, maxOpenFiles: 256 };
const OWN_LIMITS = { diskBytes: 1024 * MIB, diskInodes: 1000, openFiles: 256 };

Deno.test("limits: defaults and ceilings have every limit of a job, in the units of its flag", () => {
  const { limits } = load({ default: { ...EVERY, ...OWN }, ceiling: { ...EVERY, ...OWN } });
  assert.deepEqual(limits.default, { ...SHARED, ...OWN_LIMITS });
  assert.deepEqual(limits.ceiling, { ...SHARED, ...OWN_LIMITS });
  assert.deepEqual(limits.builtIn, { pids: 4096 });
  assert.deepEqual(load({}).limits, { default: {}, ceiling: {}, builtIn: { pids: 4096 }, users: new Map() });
});

Deno.test("limits: the section wins over Joblet's older keys, one by one", () => {
  const older = { defaultCpuLimit: 50, defaultMemoryLimit: 64 };
  assert.deepEqual(load({ default: { maxCpu: 80 } }, older).limits.default, { cpuPercent: 80, memoryBytes: 64 * MIB });
});

Deno.test("limits: a user's jobs have limits together, and users have their own", () => {
  const { limits, sharedLimits, queue } = load({
    user: { ...EVERY, maxJobs: 5, maxQueued: 0, maxDisk: "4G" },
    users: {
      "ann@example.com": {
        default: { maxPids: 9 },
        ceiling: { maxMemory: "1G" },
        total: { maxCpu: 400, maxJobs: 50, maxQueued: 7, maxDisk: "8M" },
      },
      bob: {},
    },
  });
  assert.deepEqual(sharedLimits.user, SHARED);
  assert.deepEqual(sharedLimits.users, new Map([["ann@example.com", { cpuPercent: 400 }]]));
  assert.deepEqual(limits.users.get("ann@example.com"), {
    default: { pids: 9 },
    ceiling: { memoryBytes: 1024 * MIB },
  });
  assert.deepEqual(limits.users.get("bob"), {});
  assert.equal(queue.maxRunningPerOwner, 5);
  assert.deepEqual(queue.maxRunningOf, new Map([["ann@example.com", 50]]));
  assert.equal(queue.maxWaitingPerOwner, 0);
  assert.deepEqual(queue.maxWaitingOf, new Map([["ann@example.com", 7]]));
  const of = new Map([["ann@example.com", 8 * MIB]]);
  assert.deepEqual(queue.disk, { standardBytes: 1024 * MIB, all: 4096 * MIB, of });
  assert.equal(load({}, { maxQueuedJobsPerUser: 3 }).queue.maxWaitingPerOwner, 3);
  assert.equal(load({}).queue.disk, undefined);
});

Deno.test("limits: all jobs have limits together, and a percentage at which memory kills", () => {
  const { cpuWeight: _cpu, ioWeight: _io, ...rates } = EVERY;
  const { cpuWeight: _cpuWeight, ioWeight: _ioWeight, ...all } = SHARED;
  assert.deepEqual(load({ all: rates }).sharedLimits, { all, user: {}, users: new Map() });
  assert.equal(load({ memoryMaxPercent: 90 }).memoryMaxPercent, 90);
  assert.equal(load({}).memoryMaxPercent, 100);
});

const WRONG: readonly [unknown, string][] = [
  [{ default: { maxCpus: 5 } }, "unknown key 'limits.default.maxCpus'"],
  [{ default: { maxCpu: "much" } }, "key 'limits.default.maxCpu' must be a number"],
  [{ default: { cpuCores: "0" } }, "unknown key 'limits.default.cpuCores'"],
  [{ ceiling: { maxMemory: "x" } }, "key 'limits.ceiling.maxMemory' must be a size such as 512M"],
  [{ user: { maxDiskInodes: 5000 } }, "unknown key 'limits.user.maxDiskInodes'"],
  [{ user: { maxDisk: 5 } }, "key 'limits.user.maxDisk' must be at least 1M"],
  [
    { users: { "../x": {} } },
    "key 'limits.users.../x' must be a name as in a certificate: at most 64 letters, digits and . _ @ + -",
  ],
  [{ all: { cpuWeight: 5 } }, "unknown key 'limits.all.cpuWeight'"],
  [{ memoryMaxPercent: 9 }, "key 'limits.memoryMaxPercent' must be from 10 to 1000"],
  [{ user: { maxJobs: 0 } }, "key 'limits.user.maxJobs' must be at least 1"],
  [{ users: { ann: { totals: {} } } }, "unknown key 'limits.users.ann.totals'"],
  [{ users: 5 }, "key 'limits.users' must be a mapping"],
  [
    { ceiling: { cpuWeight: 20_000 } },
    "key 'limits.ceiling.cpuWeight': Cannot use CPU weight 20000: it must be a whole number from 1 to 10000",
  ],
  [
    { users: { ann: { total: { maxMemory: 1 } } } },
    "key 'limits.users.ann.total.maxMemory': Cannot use memory limit 1 bytes: it must be at least 1 MiB",
  ],
];

for (const [limits, message] of WRONG) {
  Deno.test(`limits: ${JSON.stringify(limits)} is refused, naming the key`, () => {
    assert.throws(() => load(limits), { name: "EngineError", message: `Cannot use joblet-config.yml: ${message}` });
  });
}
