import assert from "node:assert/strict";
import { errnoName } from "../../ffi/mod.ts";
import { requires } from "../../tests/harness/requires.ts";
import { compileFilter, X32_BIT } from "./compile.ts";
import { policyFor, type PolicyOptions } from "./policy.ts";
import { numberOf, type Syscall } from "./syscalls.ts";

const ARCH = Deno.build.arch;
const HELPER = new URL("testing/under_filter.py", import.meta.url).pathname;

/** What the helper prints, run with this machine's filter for a policy. */
function underFilter(options: PolicyOptions, ...args: string[]): string {
  const filter = compileFilter(policyFor(options), ARCH).toHex();
  const output = new Deno.Command("python3", { args: [HELPER, filter, ...args], stdin: "null" }).outputSync();
  assert.ok(output.success, `${args}: exit code ${output.code}: ${new TextDecoder().decode(output.stderr)}`);
  return new TextDecoder().decode(output.stdout);
}

/** Names of the errors that calls fail with, "OK" for none. Arguments are such that even root would do no harm. */
function errors(options: PolicyOptions, calls: readonly (readonly [Syscall | number, ...number[]])[]): string[] {
  const numbered = calls.map(([call, ...args]) => [typeof call === "number" ? call : numberOf(call, ARCH)!, ...args]);
  const errnos = JSON.parse(underFilter(options, "calls", JSON.stringify(numbered))) as number[];
  return errnos.map(errnoName);
}

Deno.test({
  ...requires("python3"),
  name: "the kernel takes the filter and refuses what it should",
  fn: () => {
    const refused: [Syscall, ...number[]][] = [
      ["unshare", 0],
      ["setns", -1],
      ["mount", 0, 0, 0, 0, 0],
      ["open_tree", -1, 0, 1],
      ["clone", 0x10000011],
      ["ptrace", 99],
      ["keyctl", 99],
      ["bpf", 99],
      ["io_uring_setup", 0, 0],
      ["perf_event_open", 0],
      ["userfaultfd", -1],
      ["open_by_handle_at", -1],
      ["init_module", 0],
      ["syslog", 10],
      ["sethostname", 0, -1],
      ["mknodat", -1, 0, 0o020644],
      ["personality", 0x40000],
      ["ioctl", 0, 0x5412, 0],
      ["socket", 2, 3, 1],
      ["socket", 17, 3, 3],
    ];
    assert.deepEqual(errors({}, refused), refused.map(() => "EPERM"));
    assert.deepEqual(
      errors({}, [["socket", 38, 5, 0], ["socket", 40, 1, 0], ["socket", 15, 3, 2], ["socket", 16, 3, 12], [
        "clone3",
        0,
        0,
      ], [9999]]),
      ["EAFNOSUPPORT", "EAFNOSUPPORT", "EAFNOSUPPORT", "EPROTONOSUPPORT", "ENOSYS", "ENOSYS"],
    );
  },
});

Deno.test({
  ...requires("python3"),
  name: "the kernel lets through what the filter allows",
  fn: () => {
    const allowed: [Syscall, ...number[]][] = [
      ["socket", 1, 1, 0],
      ["socket", 2, 0x80801, 6],
      ["socket", 10, 2, 0],
      ["socket", 16, 3, 0],
      ["personality", 0xffffffff],
      ["getpid"],
    ];
    // A family that this kernel lacks is not the filter's doing.
    for (const error of errors({}, allowed)) assert.match(error, /^(OK|EAFNOSUPPORT)$/);
    assert.deepEqual(errors({}, [["mknodat", -1, 0, 0o010644], ["ioctl", -1, 0x5401, 0]]), ["EFAULT", "EBADF"]);
    assert.deepEqual(errors({ allow: ["userns", "debug"] }, [["unshare", 0], ["ptrace", 99]]), ["OK", "ESRCH"]);
    assert.deepEqual(errors({ strict: true }, [["socket", 2, 1, 0], ["memfd_create", 0]]), ["EAFNOSUPPORT", "ENOSYS"]);
  },
});

// Other architectures have neither.
if (ARCH === "x86_64") {
  Deno.test({
    ...requires("python3"),
    name: "the kernel refuses 32-bit and x32 calls",
    fn: () => {
      assert.deepEqual(errors({}, [[X32_BIT + numberOf("getpid", ARCH)!], [X32_BIT + 512]]), ["ENOSYS", "ENOSYS"]);
      const result = JSON.parse(underFilter({}, "int80")) as number | string;
      if (result !== "none") assert.equal(result, -38, "-ENOSYS");
    },
  });
}

/**
 * Programs of many kinds, which work under the filter as they do without: what is needed, then the command. Those that
 * are not on this host are left out.
 */
const PROGRAMS: readonly (readonly [string, ...string[]])[] = [
  ["sh", "sh", "-c", "ls / | cat > /dev/null && echo $(id -u)"],
  [
    "git",
    "sh",
    "-ec",
    'd=$(mktemp -d); trap "rm -rf $d" EXIT; git init -q "$d"; cd "$d"; ' +
    "git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x; git log -1",
  ],
  [
    "python3",
    "python3",
    "-c",
    "import asyncio, multiprocessing, socket, ssl, subprocess, threading\n" +
    "subprocess.run(['true'], check=True)\n" +
    "thread = threading.Thread(target=print); thread.start(); thread.join()\n" +
    "multiprocessing.Queue()\n" +
    "socket.getaddrinfo('localhost', 80)\n" +
    "asyncio.run(asyncio.create_subprocess_exec('true'))\n" +
    "a, b = socket.socketpair(); a.send(b'x'); b.recv(1)",
  ],
  ["node", "node", "-e", "require('child_process').execSync('true'); require('fs').promises.readFile('/dev/null')"],
  ["sh", Deno.execPath(), "eval", "await new Deno.Command('true').output(); Deno.listen({ port: 0 }).close()"],
  ["gcc", "gcc", "-x", "c", "-fsyntax-only", "/dev/null"],
  ["perl", "perl", "-e", "fork; wait"],
  ["make", "make", "--version"],
];

for (const [needed, ...command] of PROGRAMS.filter(([needed]) => isInstalled(needed))) {
  Deno.test({
    ...requires("python3"),
    name: `${command[0] === Deno.execPath() ? "deno" : needed} works under the filter`,
    fn: () => void underFilter({}, "exec", ...command),
  });
}

function isInstalled(program: string): boolean {
  return new Deno.Command("sh", { args: ["-c", `command -v ${program}`], stdout: "null" }).outputSync().success;
}
