import assert from "node:assert/strict";
import { requires } from "../../tests/harness/requires.ts";
import { type Arch, isSyscall, numberOf, type Syscall, SYSCALLS } from "./syscalls.ts";

/** What arch/arm64/include/asm/unistd.h asks the generic table for. */
const ARM64_WANTS = ["RENAMEAT", "NEW_STAT", "SET_GET_RLIMIT", "TIME32_SYSCALLS", "SYS_CLONE3", "MEMFD_SECRET"];
const HEADERS: Readonly<Record<Arch, string>> = { x86_64: "asm/unistd_64.h", aarch64: "asm-generic/unistd.h" };
/** Defined beside the calls, but not calls. */
const NOT_CALLS = ["syscalls", "arch_specific_syscall"];

/** Of Linux 6.18. Headers may know more. */
const NEWEST = 469;

/** Name to number, as a header says. */
function headerNumbers(arch: Arch): Map<string, number> {
  const wants = arch === "aarch64" ? ARM64_WANTS.map((want) => `-D__ARCH_WANT_${want}`) : [];
  const args = ["-dM", "-E", "-D__BITS_PER_LONG=64", ...wants, "-include", HEADERS[arch], "-x", "c", "/dev/null"];
  const { success, stdout, stderr } = new Deno.Command("gcc", { args }).outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
  const text = new TextDecoder().decode(stdout);
  const macros = new Map([...text.matchAll(/^#define (__NR\w+) (\S+)$/gm)].map(([, key, value]) => [key!, value!]));
  const numbers = new Map<string, number>();
  for (const [key, value] of macros) {
    const number = Number(macros.get(value) ?? value);
    if (key.startsWith("__NR_") && Number.isInteger(number)) numbers.set(key.slice(5), number);
  }
  for (const name of NOT_CALLS) numbers.delete(name);
  return numbers;
}

for (const arch of ["x86_64", "aarch64"] as const) {
  Deno.test({
    ...requires("gcc"),
    name: `numberOf() agrees with the kernel's header on ${arch}`,
    fn: () => {
      const header = headerNumbers(arch);
      const newest = Math.max(...header.values());
      assert.ok(header.size > 300, `${header.size} calls in the header`);
      for (const [name, number] of header) {
        if (number > NEWEST) continue;
        assert.ok(isSyscall(name), name);
        assert.equal(numberOf(name, arch), number, name);
      }
      for (const name of SYSCALLS) {
        // The processor's own trampolines stand in no header of user space before Linux 6.11.
        if (name === "uretprobe" || name === "uprobe") continue;
        const number = numberOf(name, arch);
        if (number !== undefined && number <= newest) assert.equal(header.get(name), number, name);
      }
    },
  });

  Deno.test(`numberOf() gives no number twice on ${arch}`, () => {
    const numbers = SYSCALLS.map((name) => numberOf(name, arch)).filter((number) => number !== undefined);
    assert.equal(new Set(numbers).size, numbers.length);
    assert.equal(Math.max(...numbers), NEWEST);
  });
}

Deno.test("numberOf() knows calls that the headers here may not have yet", () => {
  const facts: [Syscall, number][] = [["cachestat", 451], ["futex_requeue", 456], ["mseal", 462], [
    "file_setattr",
    469,
  ]];
  for (const [name, number] of facts) {
    assert.equal(numberOf(name, "x86_64"), number);
    assert.equal(numberOf(name, "aarch64"), number);
  }
  assert.equal(numberOf("fork", "aarch64"), undefined);
  assert.equal(isSyscall("toString"), false);
});
