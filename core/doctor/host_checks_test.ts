import assert from "node:assert/strict";
import { checkCgroup, checkDisk, checkKernel, checkLandlock, checkPrivileges } from "./host_checks.ts";
import { checkNamespaces, probeNamespaces } from "./namespace_probe.ts";
import { requires } from "../../tests/harness/requires.ts";

Deno.test("checkKernel takes 5.14 and newer and tells older ones the cure", () => {
  assert(checkKernel("5.14.0-70.el9", "x86_64").ok);
  assert(checkKernel("6.1.0-18-cloud-amd64", "x86_64").ok);
  const old = checkKernel("5.10.0-28-amd64", "x86_64");
  assert(!old.ok && old.cure?.includes("5.14"));
});

Deno.test("checkPrivileges wants root and CAP_SYS_ADMIN", () => {
  assert(checkPrivileges(0, "CapEff:\t000001ffffffffff\n").ok);
  assert(!checkPrivileges(0, "CapEff:\t00000000a80425fb\n").ok, "a container's default set");
  assert(!checkPrivileges(1000, "CapEff:\t000001ffffffffff\n").ok);
});

Deno.test("checkNamespaces tells each step that failed with its error", () => {
  assert(checkNamespaces([{ step: "ipc" }, { step: "net" }]).ok);
  const check = checkNamespaces([{ step: "ipc" }, { step: "net", error: "unshare 0x40000000: EPERM" }]);
  assert(!check.ok);
  assert.equal(check.detail, "net: unshare 0x40000000: EPERM");
});

Deno.test({
  ...requires("root"),
  name: "probeNamespaces makes namespaces, a mount and a root that this process does not see",
  async fn() {
    const before = await Deno.readTextFile("/proc/self/mountinfo");
    const root = await Deno.realPath("/proc/self/root");
    const result = await probeNamespaces();
    assert.deepEqual(result.filter(({ error }) => error !== undefined), []);
    assert.deepEqual(result.map(({ step }) => step), [
      "ipc",
      "uts",
      "cgroup",
      "net",
      "setns",
      "mnt",
      "mount",
      "chroot",
      "no_new_privs",
    ]);
    assert.equal(await Deno.readTextFile("/proc/self/mountinfo"), before);
    assert.equal(await Deno.realPath("/proc/self/root"), root);
  },
});

Deno.test("checkCgroup tells a missing mount from missing controllers", () => {
  const mountinfo = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  assert.equal(checkCgroup("", () => "")[0]?.ok, false);
  assert(checkCgroup(mountinfo, () => "cpuset cpu io memory pids\n").every((check) => check.ok));
  const [where, limits] = checkCgroup(mountinfo, () => "cpu\n");
  assert(where?.ok && limits?.ok === false);
  assert.match(limits.detail, /memory, io, cpuset, pids$/);
});

Deno.test("checkLandlock tells what an older kernel, or one without it, does not keep apart", () => {
  assert(checkLandlock(7).ok);
  assert.match(checkLandlock(2).cure ?? "", /abstract sockets/);
  assert.match(checkLandlock(0).cure ?? "", /lsm=/);
});

Deno.test("checkDisk reads the free bytes of df", () => {
  const df = (free: number) => `Filesystem 1-blocks Used Available Capacity Mounted on\n/dev/vda 9 9 ${free} 1% /srv\n`;
  assert(checkDisk(df(2 * 1024 ** 3)).ok);
  assert(!checkDisk(df(1024)).ok);
});
