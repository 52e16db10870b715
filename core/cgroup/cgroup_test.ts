import assert from "node:assert/strict";
import { EngineError } from "../errors.ts";
import { deviceNumbers, ioWeightFile, namedDisk, wholeDiskOf } from "./io_device.ts";
import { applyLimits, CgroupWriteError } from "./apply.ts";
import { findBase } from "./base.ts";
import { flagsOf, limitWrites, neededControllers, requireControllers } from "./limits.ts";
import { findCgroup2, parseMountinfo, parseOwnCgroup } from "./mountinfo.ts";
import type { Limits } from "../jobs/spec.ts";
import { holds } from "./read_back.ts";

const UNIFIED = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
const HYBRID = [
  "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755",
  "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory",
  "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw",
].join("\n");

Deno.test("parseMountinfo reads optional fields, escapes and skips what is cut off", () => {
  const mounts = parseMountinfo("1 2 0:3 /a\\040b /mnt/x\\134y rw shared:1 master:2 - ext4 /dev/vda rw\n1 2 0:3\n\n");
  assert.deepEqual(mounts, [{ root: "/a b", mountPoint: "/mnt/x\\y", fsType: "ext4" }]);
});

Deno.test("findCgroup2 finds the unified tree of a hybrid host and none on a v1 host", () => {
  assert.equal(findCgroup2(parseMountinfo(HYBRID))?.mountPoint, "/sys/fs/cgroup/unified");
  assert.equal(findCgroup2(parseMountinfo(HYBRID.split("\n").slice(0, 2).join("\n"))), undefined);
});

Deno.test("parseOwnCgroup takes the v2 line among v1 lines", () => {
  assert.equal(parseOwnCgroup("9:name=systemd:/x\n0::/user.slice\n"), "/user.slice");
  assert.equal(parseOwnCgroup("9:name=systemd:/x\n"), undefined);
});

Deno.test("findBase takes the service's own cgroup when systemd has put the server into a leaf of it", () => {
  const base = findBase(UNIFIED, "0::/system.slice/joblet.service/supervisor\n", "abcd");
  assert.equal(base.path, "/sys/fs/cgroup/system.slice/joblet.service");
  assert.equal(base.delegated, true);
});

Deno.test("findBase makes a folder of its own elsewhere, also in a service that systemd did not divide", () => {
  for (const own of ["0::/\n", "0::/system.slice/joblet.service\n", "0::/system.slice/runner.service/supervisor\n"]) {
    const base = findBase(HYBRID, own, "abcd");
    assert.deepEqual(base.chain, [
      "/sys/fs/cgroup/unified",
      "/sys/fs/cgroup/unified/joblet",
      "/sys/fs/cgroup/unified/joblet/abcd",
    ]);
    assert.equal(base.delegated, false);
  }
});

Deno.test("findBase refuses a host without cgroup v2 and a base outside of it, with the cure", () => {
  assert.throws(() => findBase("", "", "x"), /mount it with 'mount -t cgroup2/);
  assert.throws(() => findBase(UNIFIED, "0::/\n", "x", "/tmp/x"), /must lie below '\/sys\/fs\/cgroup'/);
});

Deno.test("limitWrites turns limits into the kernel's units", () => {
  const limits = {
    cpuPercent: 150,
    cpuWeight: 300,
    cpuCores: [0, 1, 3],
    memoryBytes: 1048576,
    memoryHighBytes: 524288,
    pids: 64,
    ioBytesPerSecond: 4096,
    ioWriteBytesPerSecond: 512,
    ioReadOpsPerSecond: 10,
    ioWriteOpsPerSecond: 20,
    ioWeight: 50,
  };
  assert.deepEqual(limitWrites(limits, { device: "254:0", weightFile: "io.bfq.weight" }), [
    { file: "cpu.max", value: "150000 100000" },
    { file: "cpu.weight", value: "300" },
    { file: "cpuset.cpus", value: "0-1,3", readFile: "cpuset.cpus.effective" },
    { file: "memory.high", value: "524288" },
    { file: "memory.max", value: "1048576" },
    { file: "memory.swap.max", value: "0", optional: true },
    { file: "memory.oom.group", value: "1" },
    { file: "pids.max", value: "64" },
    { file: "io.max", value: "254:0 rbps=4096 wbps=512 riops=10 wiops=20" },
    { file: "io.bfq.weight", value: "default 50" },
  ]);
  assert.deepEqual(limitWrites({}), []);
  assert.deepEqual(limitWrites({ diskBytes: 1 << 20, diskInodes: 16, openFiles: 8 }), []);
});

Deno.test("limitWrites leaves out rates that nobody asked for", () => {
  const io = { device: "8:0", weightFile: "io.weight" };
  const writes = (limits: Limits) => limitWrites(limits, io).map(({ file, value }) => `${file}: ${value}`);
  assert.deepEqual(writes({ ioReadBytesPerSecond: 7 }), ["io.max: 8:0 rbps=7"]);
  assert.deepEqual(writes({ ioWriteOpsPerSecond: 7 }), ["io.max: 8:0 wiops=7"]);
  assert.deepEqual(writes({ ioWeight: 7 }), ["io.weight: default 7"]);
  assert.throws(() => limitWrites({ ioReadOpsPerSecond: 7 }), TypeError);
});

Deno.test("holds compares what the kernel says with what was written", () => {
  const table: readonly [file: string, value: string, text: string, expected: boolean][] = [
    ["cpu.max", "50000 100000", "50000 100000\n", true],
    ["cpu.max", "50000 100000", "max 100000\n", false],
    ["cpuset.cpus", "0-1,3", "0-1,3\n", true],
    ["cpuset.cpus", "0-1,3", "0-1\n", false],
    ["memory.max", "1048576", "1048576\n", true],
    ["memory.max", "1050000", "1048576\n", true],
    ["memory.max", "1048576", "2097152\n", false],
    ["memory.high", "1048576", "max\n", false],
    ["memory.high", "1048576", "0\n", false],
    ["pids.max", "64", "64\n", true],
    ["pids.max", "64", "max\n", false],
    ["io.max", "8:0 rbps=1", "254:0 rbps=1\n8:0 rbps=1 wbps=max riops=max wiops=max\n", true],
    ["io.max", "8:0 rbps=1 wbps=2", "8:0 rbps=1 wbps=max riops=max wiops=max\n", false],
    ["io.max", "8:0 rbps=1", "", false],
    ["io.weight", "default 50", "default 50\n8:0 100\n", true],
    ["io.weight", "default 50", "default 100\n", false],
  ];
  for (const [file, value, text, expected] of table) {
    assert.equal(holds({ file, value }, text), expected, `${file} ${value} ${text}`);
  }
});

Deno.test("applyLimits writes and reads again, and tells what is refused, missing or clipped", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const file of ["pids.max", "cpuset.cpus"]) await Deno.writeTextFile(`${folder}/${file}`, "");
    await Deno.writeTextFile(`${folder}/cpuset.cpus.effective`, "0\n");
    applyLimits(folder, [
      { file: "pids.max", value: "5" },
      { file: "memory.swap.max", value: "0", optional: true },
    ], "x");
    assert.equal(await Deno.readTextFile(`${folder}/pids.max`), "5");
    const clipped = { file: "cpuset.cpus", value: "0-1", readFile: "cpuset.cpus.effective" };
    assert.throws(() => applyLimits(folder, [clipped], "the box"), (error: unknown) => {
      assert(error instanceof CgroupWriteError);
      assert.equal(error.message, "write '0-1' to cpuset.cpus of the box (the kernel made '0' of it)");
      return true;
    });
    assert.throws(() => applyLimits(folder, [{ file: "memory.max", value: "1" }], "the box"), (error: unknown) => {
      assert(error instanceof CgroupWriteError && error.cause instanceof Deno.errors.NotFound);
      assert.equal(error.message, "write '1' to memory.max of the box");
      return true;
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("requireControllers names the missing controller, the flag and the cure", () => {
  const check = () => requireControllers({ memoryBytes: 1 << 20 }, new Set(["cpu"]));
  assert.throws(check, (error: unknown) => {
    assert(error instanceof EngineError && error.kind === "precondition");
    assert.match(error.message, /--max-memory.*'memory'.*cgroup_no_v1=all/);
    return true;
  });
  requireControllers({ memoryBytes: 1 << 20 }, new Set(["memory"]));
  requireControllers({ diskBytes: 1 << 20, openFiles: 64 }, new Set());
  requireControllers({}, new Set());
});

Deno.test("requireControllers names each limit by its own flag", () => {
  const cpu = { "--max-cpu": { cpuPercent: 1 }, "--cpu-weight": { cpuWeight: 1 } };
  const memory = { "--max-memory": { memoryBytes: 1 }, "--memory-high": { memoryHighBytes: 1 } };
  const io = {
    "--max-iobps": { ioBytesPerSecond: 1 },
    "--max-read-bps": { ioReadBytesPerSecond: 1 },
    "--max-write-bps": { ioWriteBytesPerSecond: 1 },
    "--max-read-iops": { ioReadOpsPerSecond: 1 },
    "--max-write-iops": { ioWriteOpsPerSecond: 1 },
    "--io-weight": { ioWeight: 1 },
  };
  const cases = { cpu, memory, io, cpuset: { "--cpu-cores": { cpuCores: [0] } }, pids: { "--max-pids": { pids: 1 } } };
  for (const [controller, limits] of Object.entries(cases)) {
    for (const [flag, limit] of Object.entries(limits)) {
      const message = new RegExp(`^Cannot enforce ${flag}: .*'${controller}' .*without ${flag}$`);
      assert.throws(() => requireControllers(limit, new Set()), { message });
      assert.deepEqual(neededControllers(limit), [controller]);
    }
    assert.deepEqual(flagsOf(controller as keyof typeof cases), Object.keys(limits));
  }
});

Deno.test("deviceNumbers splits small and large device numbers", () => {
  assert.deepEqual(deviceNumbers(0xfe01), { major: 254, minor: 1 });
  assert.deepEqual(deviceNumbers(Number((0x12n << 44n) | (0x345n << 8n) | (0x6n << 20n) | 0x78n)), {
    major: 0x12345,
    minor: 0x678,
  });
});

Deno.test("wholeDiskOf gives a partition's disk, and refuses a path on no disk", async () => {
  const sysfs = await Deno.makeTempDir();
  try {
    const { major, minor } = deviceNumbers((await Deno.stat(sysfs)).dev);
    assert.throws(() => wholeDiskOf(sysfs, "--io-weight", sysfs), /--io-weight: .*lies on no block device/);
    const disk = `${sysfs}/devices/disk`;
    await Deno.mkdir(`${disk}/part`, { recursive: true });
    await Deno.writeTextFile(`${disk}/dev`, "254:0\n");
    await Deno.writeTextFile(`${disk}/part/dev`, `${major}:${minor}\n`);
    await Deno.mkdir(`${sysfs}/dev/block`, { recursive: true });
    await Deno.symlink("../../devices/disk/part", `${sysfs}/dev/block/${major}:${minor}`);
    assert.equal(wholeDiskOf(sysfs, "--max-iobps", sysfs), `${major}:${minor}`);
    await Deno.writeTextFile(`${disk}/part/partition`, "1\n");
    assert.equal(wholeDiskOf(sysfs, "--max-iobps", sysfs), "254:0");
  } finally {
    await Deno.remove(sysfs, { recursive: true });
  }
});

Deno.test("namedDisk takes whole disks by number and refuses partitions, naming the disk", async () => {
  const sysfs = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${sysfs}/devices/vda/vda1`, { recursive: true });
    await Deno.mkdir(`${sysfs}/dev/block`, { recursive: true });
    await Deno.writeTextFile(`${sysfs}/devices/vda/dev`, "254:0\n");
    await Deno.writeTextFile(`${sysfs}/devices/vda/vda1/dev`, "254:1\n");
    await Deno.writeTextFile(`${sysfs}/devices/vda/vda1/partition`, "1\n");
    await Deno.symlink("../../devices/vda", `${sysfs}/dev/block/254:0`);
    await Deno.symlink("../../devices/vda/vda1", `${sysfs}/dev/block/254:1`);
    assert.equal(namedDisk("254:0", sysfs), "254:0");
    assert.throws(
      () => namedDisk("254:1", sysfs),
      /'254:1': it is a partition; name the whole disk, \/dev\/vda \(254:0\)/,
    );
    for (const missing of ["9:9", "/dev/no-such-disk", "/dev/null", "/dev/null/x"]) {
      assert.throws(() => namedDisk(missing, sysfs), /there is no such disk/, missing);
    }
  } finally {
    await Deno.remove(sysfs, { recursive: true });
  }
});

Deno.test("ioWeightFile finds the file that has an effect, or tells how to get one", async () => {
  const root = await Deno.makeTempDir();
  const places = { root, below: root, sysfs: root };
  const find = (weight = 100) => ioWeightFile("8:0", weight, places, "--io-weight");
  try {
    assert.throws(find, /--io-weight: .*disk 8:0.*io\.cost\.qos.*bfq/);
    await Deno.writeTextFile(`${root}/io.weight`, "default 100\n");
    assert.throws(find, /nothing on this host looks at weights/, "a file alone does nothing");
    await Deno.writeTextFile(`${root}/io.cost.qos`, "8:16 enable=1 ctrl=auto\n8:0 enable=0 ctrl=auto\n");
    assert.throws(find, /nothing on this host/);
    await Deno.mkdir(`${root}/dev/block/8:0/queue`, { recursive: true });
    await Deno.writeTextFile(`${root}/dev/block/8:0/queue/scheduler`, "none [bfq]\n");
    await Deno.writeTextFile(`${root}/io.bfq.weight`, "default 100\n");
    assert.equal(find(1000), "io.bfq.weight");
    assert.throws(() => find(1001), /bfq.*1 to 1000/);
    await Deno.writeTextFile(`${root}/io.cost.qos`, "8:0 enable=1 ctrl=auto\n");
    assert.equal(find(1001), "io.weight");
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
