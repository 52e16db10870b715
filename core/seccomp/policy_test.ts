import assert from "node:assert/strict";
import { describePolicy } from "./describe.ts";
import { type Policy, policyFor } from "./policy.ts";
import { RULES } from "./rules.ts";
import { type Arch, isSyscall, numberOf, type Syscall, SYSCALLS } from "./syscalls.ts";
import { ABSENT, ALLOWED, type CallGroup, callsOf, REFUSED, STRICTLY_ABSENT, WIDENINGS } from "./table.ts";
import { decide } from "./testing/decide.ts";

function verdict(policy: Policy, name: Syscall, args: readonly number[] = [], arch: Arch = "x86_64") {
  const all = Array.from({ length: 6 }, (_, index) => BigInt.asUintN(64, BigInt(args[index] ?? 0)));
  const audit = arch === "x86_64" ? 0xc000003e : 0xc00000b7;
  return decide(policy, arch, { arch: audit, nr: numberOf(name, arch)!, args: all });
}

Deno.test("each system call stands in the table exactly once", () => {
  const names = [...[ALLOWED, REFUSED, ABSENT].flatMap((groups) => groups.flatMap(callsOf)), ...Object.keys(RULES)];
  assert.deepEqual(names.toSorted(), SYSCALLS.toSorted());
  assert.ok(isSyscall(STRICTLY_ABSENT));
});

Deno.test("each group of the table has a name of its own, a reason and calls that exist", () => {
  for (const groups of [ALLOWED, REFUSED, ABSENT, WIDENINGS] satisfies (readonly CallGroup[])[]) {
    assert.equal(new Set(groups.map(({ name }) => name)).size, groups.length);
    for (const group of groups) {
      assert.ok(group.why.length > 0, group.name);
      for (const call of callsOf(group)) assert.ok(isSyscall(call), `${group.name}: '${call}'`);
    }
  }
});

Deno.test("policyFor() refuses what a sandbox must not let through", () => {
  const refused = "unshare setns mount umount2 move_mount open_tree open_tree_attr fsopen fsconfig fsmount fspick " +
    "mount_setattr pivot_root chroot keyctl add_key request_key bpf perf_event_open userfaultfd io_uring_setup " +
    "io_uring_enter io_uring_register ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd " +
    "open_by_handle_at kexec_load kexec_file_load init_module finit_module delete_module acct quotactl quotactl_fd " +
    "swapon swapoff reboot syslog sethostname setdomainname settimeofday clock_settime adjtimex clock_adjtime " +
    "lookup_dcookie vhangup move_pages migrate_pages fanotify_init nfsservctl";
  for (const arch of ["x86_64", "aarch64"] as const) {
    for (const name of refused.split(" ") as Syscall[]) {
      assert.equal(verdict(policyFor(), name, [], arch), "EPERM", `${name} on ${arch}`);
    }
    assert.equal(verdict(policyFor(), "clone3", [], arch), "ENOSYS");
  }
  for (const name of ["iopl", "ioperm", "uselib", "sysfs", "ustat"] as const) {
    assert.equal(verdict(policyFor(), name), "EPERM", name);
  }
});

Deno.test("policyFor() allows what the job's start still has to do once the filter is there", () => {
  for (const policy of [policyFor(), policyFor({ strict: true })]) {
    for (const arch of ["x86_64", "aarch64"] as const) {
      for (const name of ["execve", "write", "exit_group"] as const) {
        assert.equal(verdict(policy, name, [], arch), "allow");
      }
    }
  }
});

Deno.test("policyFor() decides by arguments", () => {
  const facts: [Syscall, number[], string][] = [
    ["clone", [0x3d0f00], "allow"], // as glibc makes a thread
    ["clone", [0x01200011], "allow"], // as glibc forks
    ["clone", [0x10000011], "EPERM"],
    ["clone", [0x80], "EPERM"],
    ["clone", [0x02000000], "EPERM"],
    ["socket", [1, 0x80002, 0], "allow"],
    ["socket", [2, 0x80801, 6], "allow"],
    ["socket", [10, 2, 17], "allow"],
    ["socket", [2, 2, 1], "allow"], // ping
    ["socket", [2, 3, 1], "EPERM"],
    ["socket", [2, 1, 262], "EPROTONOSUPPORT"], // MPTCP
    ["socket", [2, 2, 115], "EPROTONOSUPPORT"], // L2TP
    ["socket", [2, 10, 0x300], "EPERM"], // SOCK_PACKET, an old way to AF_PACKET
    ["socket", [16, 3, 0], "allow"],
    ["socket", [16, 3, 12], "EPROTONOSUPPORT"],
    ["socket", [17, 3, 0x300], "EPERM"],
    ...[15, 29, 38, 40, 43, 44].map((family): [Syscall, number[], string] => [
      "socket",
      [family, 5, 0],
      "EAFNOSUPPORT",
    ]),
    ["socketpair", [1, 1, 0], "allow"],
    ["socketpair", [30, 1, 0], "EAFNOSUPPORT"],
    ["ioctl", [0, 0x5401], "allow"],
    ["ioctl", [0, 0x5412], "EPERM"],
    ["ioctl", [0, 0x1_0000_5412], "EPERM"], // CVE-2019-10063
    ["ioctl", [0, 0x541c], "EPERM"],
    ["prctl", [38, 1], "allow"],
    ["prctl", [35], "EPERM"],
    ["prctl", [62], "EPERM"],
    ["personality", [0xffffffff], "allow"],
    ["personality", [-1], "allow"],
    ["personality", [0x40000], "EPERM"],
    ["mknod", [0, 0o010644], "allow"],
    ["mknod", [0, 0o020644], "EPERM"],
    ["mknodat", [0, 0, 0o060644], "EPERM"],
    ["mknodat", [0, 0, 0o644], "allow"],
    ["seccomp", [1, 0], "allow"],
    ["seccomp", [1, 8], "EPERM"],
  ];
  for (const [name, args, wanted] of facts) {
    assert.equal(verdict(policyFor(), name, args), wanted, `${name}(${args})`);
  }
});

Deno.test("policyFor() with strict has local sockets only and no memfd_create, unless allowed by name", () => {
  const strict = policyFor({ strict: true });
  assert.equal(verdict(strict, "socket", [1, 1]), "allow");
  for (const family of [2, 10, 16, 17]) assert.equal(verdict(strict, "socket", [family, 1]), "EAFNOSUPPORT");
  assert.equal(verdict(strict, "memfd_create"), "ENOSYS");
  assert.equal(verdict(policyFor({ strict: true, allow: ["memfd_create"] }), "memfd_create"), "allow");
});

Deno.test("policyFor() allows calls and groups by name, whatever their arguments", () => {
  assert.equal(verdict(policyFor({ allow: ["debug"] }), "ptrace"), "allow");
  assert.equal(verdict(policyFor({ allow: ["debug"] }), "bpf"), "EPERM");
  assert.equal(verdict(policyFor({ allow: ["userns"] }), "clone", [0x10000011]), "allow");
  assert.equal(verdict(policyFor({ allow: ["socket"] }), "socket", [38, 5]), "allow");
  assert.equal(verdict(policyFor({ allow: ["io_uring"] }), "io_uring_enter"), "allow");
});

Deno.test("policyFor() refuses a name that is neither a call nor a group, in one line", () => {
  for (const name of ["", "ptrase", "toString", "debug "]) {
    assert.throws(() => policyFor({ allow: [name] }), (error) => {
      assert.ok(error instanceof RangeError);
      assert.match(error.message, /^Cannot allow '.*': it is neither .*debug, io_uring, userns, mounts$/);
      return true;
    });
  }
});

Deno.test("describePolicy() counts, and names what is not as usual", () => {
  const [counts, byArguments, ...rest] = describePolicy(policyFor());
  assert.match(counts!, /^system calls: \d{3} allowed, 9 by their arguments, \d+ refused with EPERM, .* ENOSYS$/);
  assert.match(byArguments!, /clone, .*socket/);
  assert.deepEqual(rest, []);
  assert.deepEqual(describePolicy(policyFor({ strict: true, allow: ["io_uring", "bpf"] })).slice(2), [
    "strict: no sockets but local ones, no memfd_create",
    "allowed besides: io_uring (io_uring_setup, io_uring_enter, io_uring_register)",
    "allowed besides: bpf",
  ]);
});
