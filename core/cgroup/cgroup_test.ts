import assert from "node:assert/strict";
import { EngineError } from "../errors.ts";
import { deviceNumbers, wholeDiskOf } from "./io_device.ts";
import { limitWrites, requireControllers } from "./limits.ts";
import { findCgroup2, parseMountinfo, parseOwnCgroup } from "./mountinfo.ts";
import { findBase } from "./tree.ts";

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
  const limits = { cpuPercent: 150, memoryBytes: 1048576, ioBytesPerSecond: 4096, cpuCores: [0, 1, 3] };
  assert.deepEqual(limitWrites(limits, "254:0"), [
    { file: "cpu.max", value: "150000 100000" },
    { file: "memory.max", value: "1048576" },
    { file: "memory.swap.max", value: "0", optional: true },
    { file: "memory.oom.group", value: "1" },
    { file: "io.max", value: "254:0 rbps=4096 wbps=4096" },
    { file: "cpuset.cpus", value: "0-1,3" },
  ]);
  assert.deepEqual(limitWrites({}), []);
});

Deno.test("requireControllers names the missing controller, the flag and the cure", () => {
  const check = () => requireControllers({ memoryBytes: 1 << 20 }, new Set(["cpu"]));
  assert.throws(check, (error: unknown) => {
    assert(error instanceof EngineError && error.kind === "precondition");
    assert.match(error.message, /--max-memory.*'memory'.*cgroup_no_v1=all/);
    return true;
  });
  requireControllers({ memoryBytes: 1 << 20 }, new Set(["memory"]));
  requireControllers({}, new Set());
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
    assert.throws(() => wholeDiskOf(sysfs, sysfs), /lies on no block device/);
    const disk = `${sysfs}/devices/disk`;
    await Deno.mkdir(`${disk}/part`, { recursive: true });
    await Deno.writeTextFile(`${disk}/dev`, "254:0\n");
    await Deno.writeTextFile(`${disk}/part/dev`, `${major}:${minor}\n`);
    await Deno.mkdir(`${sysfs}/dev/block`, { recursive: true });
    await Deno.symlink("../../devices/disk/part", `${sysfs}/dev/block/${major}:${minor}`);
    assert.equal(wholeDiskOf(sysfs, sysfs), `${major}:${minor}`);
    await Deno.writeTextFile(`${disk}/part/partition`, "1\n");
    assert.equal(wholeDiskOf(sysfs, sysfs), "254:0");
  } finally {
    await Deno.remove(sysfs, { recursive: true });
  }
});
