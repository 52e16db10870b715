/** Parts of the kernel that a job has no business with: mounts, namespaces, tracing, keys, rare sockets and system calls. */
import assert from "node:assert/strict";
import { PRIVILEGES, without } from "./defences.ts";
import { exitCode, refusals, refusedCalls, shown, signal } from "./expect.ts";
import { foreignCalls } from "./foreign_calls.ts";
import { type Probe, python, sh, systemCalls } from "./probe.ts";

/** Numbers of x86-64. */
const RARE_CALLS = [
  ["io_uring_setup", 425, 8, 0],
  ["bpf", 321, 0, 0, 0],
  ["perf_event_open", 298, 0, 0, -1, -1, 0],
  ["userfaultfd", 323, 0],
  ["open_by_handle_at", 304, -100, 0, 0],
  ["kexec_load", 246, 0, 0, 0, 0],
  ["init_module", 175, 0, 0, ""],
] as const;

/** By number: the tools ask who calls before the kernel does. */
const MOUNTS = [
  ["mount", 165, "x", "/tmp", "tmpfs", 0, 0],
  ["remount", 165, "x", "/proc/sys", 0, 32 | 4096, 0],
  ["umount", 166, "/proc", 2],
] as const;
const CGROUP_MOUNTS = [
  ["cgroup", 165, "c", "/tmp", "cgroup", 0, "memory"],
  ["cgroup2", 165, "c", "/tmp", "cgroup2", 0, 0],
] as const;

/** Tries to open sockets and prints what came of each. */
function sockets(kinds: readonly (readonly [string, number, number, number])[]) {
  return python(`
import socket, errno
for name, *kind in ${JSON.stringify(kinds)}:
    try:
        socket.socket(*kind)
        print(name, "OK")
    except OSError as e:
        print(name, errno.errorcode[e.errno])
`);
}

export const KERNEL_SURFACE: readonly Probe[] = [
  {
    number: 13,
    title: "mount, remount and umount",
    safeOnHost: true,
    job: { command: systemCalls(MOUNTS) },
    expect: (result) => refusedCalls(result, MOUNTS.map(([name]) => name), "EPERM", "ENOSYS"),
    twin: without(...PRIVILEGES),
  },
  {
    number: 14,
    title: "open_tree makes a copy of a mount",
    safeOnHost: true,
    job: { command: systemCalls([["open_tree", 428, -100, "/", 1]]) },
    expect: (result) => refusedCalls(result, ["open_tree"], "EPERM", "ENOSYS"),
    twin: without(...PRIVILEGES),
  },
  {
    number: 15,
    title: "unshare a user, network or PID namespace",
    safeOnHost: true,
    job: { command: sh("unshare -Ur id; unshare -n true; unshare -p true") },
    expect: (result) => {
      refusals(result, 3, "EPERM", "ENOSYS");
      assert.equal(result.out, "");
    },
    twin: without("seccomp"),
  },
  {
    number: 16,
    title: "nsenter into process 1's namespaces",
    safeOnHost: true,
    job: { command: ["nsenter", "-t", "1", "-m", "-p", "true"] },
    expect: (result) => {
      refusals(result, 1, "EPERM", "ESRCH", "EACCES", "ENOENT");
      assert.notEqual(exitCode(result), 0);
    },
    twin: without(...PRIVILEGES, "hidden processes"),
  },
  {
    number: 17,
    title: "ptrace process 1",
    safeOnHost: true,
    job: { command: systemCalls([["ptrace", 101, 16, 1, 0, 0]]) },
    expect: (result) => refusedCalls(result, ["ptrace"], "EPERM", "ENOSYS"),
    // Seized, not attached: an init that stops would end nothing any more.
    twin: {
      ...without(...PRIVILEGES, "hidden processes"),
      job: { command: systemCalls([["ptrace", 101, 0x4206, 1, 0, 0]]) },
    },
  },
  {
    number: 21,
    title: "kernel keyrings",
    safeOnHost: true,
    job: {
      command: [
        "sh",
        "-c",
        'python3 -c "$1"; cat /proc/keys; true',
        "keys",
        systemCalls([
          ["add_key", 248, "user", "probe", "x", 1, -3],
          ["request_key", 249, "user", "probe", 0, -3],
          ["keyctl", 250, 0, -3, 1],
        ])[2]!,
      ],
    },
    expect: (result) => refusedCalls(result, ["add_key", "request_key", "keyctl"], "EPERM", "ENOSYS"),
    twin: without("seccomp"),
  },
  {
    number: 22,
    title: "raw and packet sockets",
    safeOnHost: true,
    job: { command: sockets([["raw", 2, 3, 1], ["packet", 17, 3, 3]]) },
    expect: (result) => refusedCalls(result, ["raw", "packet"], "EPERM", "EAFNOSUPPORT"),
    twin: without(...PRIVILEGES),
  },
  {
    number: 23,
    title: "AF_ALG sockets (CVE-2026-31431)",
    safeOnHost: true,
    job: { command: sockets([["alg", 38, 5, 0]]) },
    expect: (result) => refusedCalls(result, ["alg"], "EPERM", "EAFNOSUPPORT"),
    twin: without("seccomp"),
  },
  {
    number: 24,
    title: "vsock, key, netfilter and CAN sockets",
    safeOnHost: true,
    job: { command: sockets([["vsock", 40, 1, 0], ["key", 15, 3, 2], ["netfilter", 16, 3, 12], ["can", 29, 3, 1]]) },
    expect: (result) =>
      refusedCalls(result, ["vsock", "key", "netfilter", "can"], "EPERM", "EAFNOSUPPORT", "EPROTONOSUPPORT"),
    twin: without("seccomp"),
  },
  {
    number: 25,
    title: "io_uring, bpf, perf, userfaultfd, file handles, kexec, modules",
    safeOnHost: true,
    job: { command: systemCalls(RARE_CALLS) },
    expect: (result) => refusedCalls(result, RARE_CALLS.map(([name]) => name), "EPERM", "ENOSYS"),
    twin: without("seccomp"),
  },
  {
    number: 26,
    title: "the same as 32-bit and as x32 calls",
    safeOnHost: true,
    job: { command: foreignCalls },
    expect: (result) => {
      const lines = result.out.trim().split("\n");
      assert.equal(lines.length, 16, shown(result));
      for (const line of lines) assert.match(line, / (EPERM|ENOSYS|SIGSYS)$/);
    },
    twin: without("seccomp"),
  },
  {
    number: 31,
    title: "mount cgroup file systems, find a release_agent",
    safeOnHost: true,
    job: {
      command: sh(
        // /usr is a disk of the host, read-only: a hundred thousand files and no cgroup.
        'find / -path /usr -prune -o -name release_agent -writable -print 2>/dev/null; exec python3 -c "$0"',
        systemCalls(CGROUP_MOUNTS)[2]!,
      ),
    },
    expect: (result) => refusedCalls(result, CGROUP_MOUNTS.map(([name]) => name), "EPERM", "ENOSYS"),
    twin: without(...PRIVILEGES),
  },
  {
    number: 35,
    title: "dmesg",
    safeOnHost: true,
    job: { command: ["dmesg"] },
    expect: (result) => {
      refusals(result, 1, "EPERM", "ENOSYS");
      assert.equal(result.out, "");
    },
    twin: without(...PRIVILEGES),
  },
  {
    number: 41,
    title: "TIOCSTI puts characters into a terminal's input",
    safeOnHost: true,
    job: {
      command: python(`
import errno, fcntl, os
names = [("stdin", 0)]
try:
    names.append(("pty", os.openpty()[1]))
except OSError:
    pass # no /dev/ptmx: no terminal to be had
for name, fd in names:
    try:
        fcntl.ioctl(fd, 0x5412, b"i")
        print(name, "OK")
    except OSError as e:
        print(name, errno.errorcode[e.errno])
`),
    },
    expect: (result) => {
      for (const line of result.out.trim().split("\n")) assert.match(line, /^(stdin|pty) EPERM$/);
    },
    twin: without("seccomp"),
  },
  {
    number: 42,
    title: "a crash leaves no core",
    safeOnHost: true,
    job: { command: sh("ulimit -c unlimited; ulimit -c; kill -SEGV $$") },
    expect: (result) => {
      assert.equal(result.out.trim() || "0", "0", shown(result));
      if (result.out !== "") assert.equal(signal(result), 11, shown(result));
    },
    twin: without("no core dumps"),
  },
];
