import assert from "node:assert/strict";
import { requires } from "../../tests/harness/requires.ts";
import type { Arch } from "../arch.ts";
import { SYSCALL_NAMES, syscallNumber } from "../syscall_numbers.ts";
import { INIT, TRAMPOLINE } from "./blobs.gen.ts";

const HEADERS: Readonly<Record<Arch, string[]>> = {
  x86_64: ["-include", "asm/unistd_64.h"],
  // What aarch64's own header includes.
  aarch64: [
    "-D__BITS_PER_LONG=64",
    "-D__ARCH_WANT_NEW_STAT",
    "-D__ARCH_WANT_SYS_CLONE3",
    "-include",
    "asm-generic/unistd.h",
  ],
};

async function output(command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, stdin: "null" }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** Name to number, as the kernel's header for user space has them. */
async function kernelNumbers(arch: Arch): Promise<Map<string, number>> {
  const macros = await output("gcc", "-E", "-dM", ...HEADERS[arch], "-x", "c", "/dev/null");
  const defined = new Map([...macros.matchAll(/^#define (\w+) (\S+)$/gm)].map(([, name, value]) => [name!, value!]));
  const resolve = (value: string): number => defined.has(value) ? resolve(defined.get(value)!) : Number(value);
  return new Map(
    [...defined].filter(([name]) => name.startsWith("__NR_")).map(([name, value]) => [name.slice(5), resolve(value)]),
  );
}

for (const arch of ["x86_64", "aarch64"] as const) {
  Deno.test({
    ...requires("gcc"),
    name: `syscallNumber and syscall.h have the kernel's numbers for ${arch}`,
    async fn() {
      const kernel = await kernelNumbers(arch);
      for (const name of SYSCALL_NAMES) assert.equal(syscallNumber(name, arch), kernel.get(name), name);
      const source = await Deno.readTextFile(new URL("syscall.h", import.meta.url));
      const part = source.split("#elif")[arch === "x86_64" ? 0 : 1]!;
      const native = [...part.matchAll(/NR_(\w+) = (\d+)/g)];
      assert(native.length > 15);
      for (const [, name, number] of native) assert.equal(Number(number), kernel.get(name!), name);
    },
  });
}

Deno.test("The trampolines begin with clone3: the kernel's number, the call, and a branch for the child", () => {
  const hex = (arch: Arch) => Uint8Array.fromBase64(TRAMPOLINE[arch]).toHex();
  // mov %rdx,%r8; mov $435,%eax; syscall; test %rax,%rax; je
  assert.match(hex("x86_64"), /^4989d0b8b30100000f054885c074/);
  // mov x9,x2; mov x8,#435; svc #0; cbz x0
  assert.match(hex("aarch64"), /^e90302aa683680d2010000d4400000b4/);
});

Deno.test({
  ...requires("aarch64 binutils"),
  name: "The aarch64 trampoline disassembles without an unknown instruction and makes system calls",
  async fn() {
    const file = await Deno.makeTempFile();
    try {
      await Deno.writeFile(file, Uint8Array.fromBase64(TRAMPOLINE.aarch64));
      const text = await output("aarch64-linux-gnu-objdump", "-D", "-b", "binary", "-m", "aarch64", file);
      assert.doesNotMatch(text, /undefined|\.inst|udf/);
      assert(text.match(/\tsvc\t#0x0/g)!.length >= 3, "clone3, the walk, exit_group");
    } finally {
      await Deno.remove(file);
    }
  },
});

Deno.test("The inits are static executables for their machines, with no writable code", () => {
  const machines = { x86_64: 62, aarch64: 183 } as const; // e_machine
  for (const arch of ["x86_64", "aarch64"] as const) {
    const elf = Uint8Array.fromBase64(INIT[arch]);
    const view = new DataView(elf.buffer);
    assert.equal(view.getUint32(0), 0x7f454c46);
    assert.equal(view.getUint16(18, true), machines[arch]);
    const [headers, size, count] = [
      Number(view.getBigUint64(32, true)),
      view.getUint16(54, true),
      view.getUint16(56, true),
    ];
    for (let index = 0; index < count; index++) {
      const at = headers + index * size;
      assert.notEqual(view.getUint32(at, true), 3, "no PT_INTERP");
      assert.notEqual(view.getUint32(at + 4, true) & 3, 3, "no segment is writable and executable");
    }
  }
});
