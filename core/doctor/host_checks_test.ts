import assert from "node:assert/strict";
import { checkCgroup, checkDisk, checkKernel, checkNamespaces, checkPrivileges } from "./host_checks.ts";

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

Deno.test("checkNamespaces names the kinds that are forbidden or missing", async () => {
  const dir = await Deno.makeTempDir();
  try {
    for (const kind of ["cgroup", "ipc", "mnt", "pid", "uts"]) {
      await Deno.writeTextFile(`${dir}/max_${kind}_namespaces`, "1");
    }
    assert.match(checkNamespaces(dir).detail, /^forbidden: net$/);
    await Deno.writeTextFile(`${dir}/max_net_namespaces`, "0\n");
    assert(!checkNamespaces(dir).ok);
    await Deno.writeTextFile(`${dir}/max_net_namespaces`, "9\n");
    assert(checkNamespaces(dir).ok);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("checkCgroup tells a missing mount from missing controllers", () => {
  const mountinfo = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  assert.equal(checkCgroup("", () => "")[0]?.ok, false);
  assert(checkCgroup(mountinfo, () => "cpuset cpu io memory pids\n").every((check) => check.ok));
  const [where, limits] = checkCgroup(mountinfo, () => "cpu\n");
  assert(where?.ok && limits?.ok === false);
  assert.match(limits.detail, /memory, io, cpuset, pids$/);
});

Deno.test("checkDisk reads the free bytes of df", () => {
  const df = (free: number) => `Filesystem 1-blocks Used Available Capacity Mounted on\n/dev/vda 9 9 ${free} 1% /srv\n`;
  assert(checkDisk(df(2 * 1024 ** 3)).ok);
  assert(!checkDisk(df(1024)).ok);
});
