/** /proc, /dev and /sys: what of the host they show, and what of it can be changed through them. */
import assert from "node:assert/strict";
import { PRIVILEGES, without } from "./defences.ts";
import { exitCode, refusals, shown } from "./expect.ts";
import { type Probe, sh } from "./probe.ts";

const DEVICES = ["fd", "full", "null", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"];
/** Devices of a sandbox with terminals of its own. */
const OPTIONAL_DEVICES = ["console", "core", "mqueue", "ptmx", "pts"];

export const PROC_DEV: readonly Probe[] = [
  {
    number: 8,
    title: "no file of the server's is left open",
    safeOnHost: true,
    job: { command: ["ls", "-l", "/proc/self/fd"] },
    expect: (result) => {
      const fds = [...result.out.matchAll(/ (\d+) -> (.*)$/gm)].map(([, fd, target]) => `${fd} ${target}`);
      assert.equal(fds.length, 4, shown(result));
      assert.deepEqual(fds.map((line) => line.split(" ")[0]), ["0", "1", "2", "3"]);
      assert.match(fds[3]!, /^3 \/proc\/\d+\/fd$/);
    },
    twin: without("closed files"),
  },
  {
    number: 10,
    title: "process 1's root and folder",
    safeOnHost: true,
    job: { command: sh("ls /proc/1/root/ ; readlink /proc/1/cwd") },
    expect: (result) => {
      refusals(result, 1, "EACCES", "ENOENT", "EPERM");
      assert.equal(result.out, "", shown(result));
    },
    twin: without(...PRIVILEGES, "hidden processes"),
  },
  {
    number: 11,
    title: "overwrite process 1's program (CVE-2019-5736)",
    safeOnHost: true,
    job: { command: sh("cat /bin/true > /proc/1/exe") },
    expect: (result) => {
      refusals(result, 1, "EACCES", "EROFS", "ENOENT", "EPERM");
      assert.notEqual(exitCode(result), 0);
    },
    // The kernel itself still refuses to write a running program, with another error.
    twin: without(...PRIVILEGES, "hidden processes"),
  },
  {
    number: 12,
    title: "process 1's environment",
    safeOnHost: true,
    job: { command: sh("tr '\\0' '\\n' < /proc/1/environ; env") },
    expect: (result) => {
      refusals(result, 1, "EACCES", "ENOENT", "EPERM");
      for (const name of ["JOBLET_PROBE_SECRET", "DENO_DIR", "SSH_"]) assert(!result.out.includes(name), name);
    },
    twin: without(...PRIVILEGES, "hidden processes"),
  },
  {
    number: 18,
    title: "find and signal the server's process",
    safeOnHost: true,
    job: () => ({ command: sh(`kill -0 ${Deno.pid}; ls -d /proc/${Deno.pid} /proc/${Deno.pid}/cwd`) }),
    expect: (result) => {
      refusals(result, 3, "ESRCH", "ENOENT");
      assert.equal(result.out, "");
    },
    twin: { none: "init refuses to run outside of a PID namespace of its own" },
  },
  {
    number: 20,
    title: "ps shows the job's own processes only",
    safeOnHost: true,
    job: { command: ["ps", "-ax", "-o", "comm="] },
    expect: (result) => assert.equal(result.out, "ps\n", shown(result)),
    twin: without("hidden processes"),
  },
  {
    number: 32,
    title: "write kernel settings",
    job: {
      command: sh(
        "for f in kernel/core_pattern kernel/modprobe vm/panic_on_oom; do echo 0 > /proc/sys/$f && echo wrote $f; done; true",
      ),
    },
    expect: (result) => {
      refusals(result, 3, "EROFS", "EACCES", "EPERM");
      assert.equal(result.out, "");
    },
    twin: without(...PRIVILEGES, "masked /proc"),
    keeps: ["kernel/core_pattern", "kernel/modprobe", "vm/panic_on_oom"].map((name) => `/proc/sys/${name}`),
  },
  {
    number: 33,
    title: "sysrq",
    job: { command: sh("echo h > /proc/sysrq-trigger && echo wrote") },
    expect: (result) => {
      refusals(result, 1, "EROFS", "EACCES", "EPERM", "ENOENT");
      assert.equal(result.out, "");
    },
    twin: without(...PRIVILEGES, "masked /proc"),
  },
  {
    number: 34,
    title: "the kernel's memory, timers and firmware",
    job: {
      command: sh(
        "for f in kcore timer_list sched_debug keys; do head -c1 /proc/$f | wc -c; done; ls /sys/firmware /sys/kernel",
      ),
    },
    expect: (result) => assert.deepEqual(result.out.split("\n"), ["0", "0", "0", "0", ""], shown(result)),
    twin: without(...PRIVILEGES, "masked /proc"),
  },
  {
    number: 36,
    title: "make device nodes",
    safeOnHost: true,
    job: { command: sh("mknod x b 254 0; mknod x c 1 1; ls") },
    expect: (result) => {
      refusals(result, 2, "EPERM");
      assert.equal(result.out, "");
    },
    twin: without(...PRIVILEGES),
  },
  {
    number: 37,
    title: "devices beyond the allow-list",
    safeOnHost: true,
    job: { command: sh("ls /dev; head -c1 /dev/vda /dev/mem /dev/kvm /dev/fuse") },
    expect: (result) => {
      const extra = result.out.trim().split("\n").filter((name) => !OPTIONAL_DEVICES.includes(name));
      assert.deepEqual(extra, DEVICES);
      refusals(result, 4, "ENOENT", "EPERM");
    },
    twin: without("own /dev"),
  },
  {
    number: 65,
    title: "other jobs' output, work and the state",
    safeOnHost: true,
    job: ({ home }) => ({
      command: sh(
        `for f in logs state state/joblet.db run; do ls -d ${home}/$f /run/host${
          home.replace(/^\/disk/, "")
        }/$f; done; true`,
      ),
    }),
    expect: (result) => {
      refusals(result, 8, "ENOENT", "EACCES");
      assert.equal(result.out, "");
    },
    twin: without(...PRIVILEGES, "no host files"),
  },
];
