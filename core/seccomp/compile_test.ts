import assert from "node:assert/strict";
import fc from "fast-check";
import { errnoName } from "../../ffi/mod.ts";
import { AUDIT_ARCH, compileFilter, X32_BIT } from "./compile.ts";
import { type Policy, policyFor } from "./policy.ts";
import type { ArgumentRule } from "./rules.ts";
import { type Arch, numberOf, type Syscall } from "./syscalls.ts";
import { decide } from "./testing/decide.ts";
import { type Call, decode, faults, run } from "./testing/interpreter.ts";

const ARCHES = ["x86_64", "aarch64"] as const satisfies readonly Arch[];
const POLICIES: Readonly<Record<string, Policy>> = {
  usual: policyFor(),
  strict: policyFor({ strict: true }),
  widened: policyFor({ strict: true, allow: ["debug", "userns", "keyctl", "socket"] }),
};
const AUDIT_ARCH_I386 = 0x40000003;
const AUDIT_ARCH_ARM = 0x40000028;

function verdict(value: number): string {
  if (value === 0x7fff0000) return "allow";
  assert.equal(value >>> 16, 5, `0x${value.toString(16)} is neither ALLOW nor ERRNO`);
  return errnoName(value & 0xffff);
}

const rulesOf = (policy: Policy): [Syscall, ArgumentRule][] =>
  [...policy.decisions].flatMap(([name, decision]) => typeof decision === "object" ? [[name, decision]] : []);

/** Calls that lie near what a policy decides: its numbers, its arguments' values, junk in their high halves. */
function calls(policy: Policy, arch: Arch): fc.Arbitrary<Call> {
  const rules = rulesOf(policy);
  const ruled = rules.flatMap(([name]) => numberOf(name, arch) ?? []);
  const u32 = fc.integer({ min: 0, max: 0xffffffff });
  const small = fc.integer({ min: 0, max: 600 });
  const tests = rules.flatMap(([, { cases }]) => cases.flatMap(({ when }) => when));
  const values = [...tests.flatMap(({ oneOf }) => oneOf), ...tests.flatMap(({ mask }) => mask ?? []), 3, 5, 0x80801];
  const low = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...new Set(values)) },
    { weight: 1, arbitrary: small },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 31 }).map((bit) => (1 << bit) >>> 0) },
    { weight: 1, arbitrary: u32 },
  );
  const high = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: u32 });
  const arg = fc.tuple(high, low).map(([high, low]) => BigInt(high) << 32n | BigInt(low));
  return fc.record({
    arch: fc.oneof(
      { weight: 20, arbitrary: fc.constant(AUDIT_ARCH[arch]) },
      { weight: 1, arbitrary: fc.constantFrom(...Object.values(AUDIT_ARCH), AUDIT_ARCH_I386, AUDIT_ARCH_ARM) },
      { weight: 1, arbitrary: u32 },
    ),
    nr: fc.oneof(
      { weight: 6, arbitrary: small },
      { weight: 6, arbitrary: fc.constantFrom(...ruled) },
      { weight: 1, arbitrary: small.map((nr) => X32_BIT + nr) },
      { weight: 1, arbitrary: fc.integer({ min: -600, max: -1 }).map((nr) => nr >>> 0) },
      { weight: 1, arbitrary: u32 },
    ),
    args: fc.array(arg, { minLength: 6, maxLength: 6 }),
  });
}

/** That the filter made of one policy does what another says. */
function agrees(made: Policy, said: Policy, arch: Arch): fc.IPropertyWithHooks<[Call]> {
  const program = decode(compileFilter(made, arch));
  return fc.property(calls(said, arch), (call) => {
    assert.equal(verdict(run(program, call).value), decide(said, arch, call));
  });
}

for (const arch of ARCHES) {
  for (const [kind, policy] of Object.entries(POLICIES)) {
    Deno.test(`compileFilter() makes a program that does what the ${kind} policy says on ${arch}`, () => {
      fc.assert(agrees(policy, policy, arch), { numRuns: kind === "usual" ? 20_000 : 5_000 });
    });

    Deno.test(`compileFilter() makes a short program that the kernel takes: ${kind}, ${arch}`, () => {
      const program = decode(compileFilter(policy, arch));
      assert.deepEqual(faults(program), []);
      assert.ok(program.length < 200, `${program.length} instructions`);
      const none = [0n, 0n, 0n, 0n, 0n, 0n];
      for (let nr = 0; nr < 1024; nr++) {
        const call = { arch: AUDIT_ARCH[arch], nr, args: none };
        const { value, steps } = run(program, call);
        assert.equal(verdict(value), decide(policy, arch, call), `number ${nr}`);
        assert.ok(steps < 50, `number ${nr}: ${steps} steps`);
      }
    });
  }

  Deno.test(`compileFilter() is caught by the property if it decides one call differently on ${arch}`, () => {
    const usual = POLICIES["usual"]!;
    const fails = (changed: Policy) => fc.check(agrees(usual, changed, arch), { numRuns: 20_000 }).failed;
    const changes: [Syscall, "allow" | "EPERM" | "ENOSYS"][] = [["read", "EPERM"], ["ptrace", "allow"], [
      "clone3",
      "EPERM",
    ], ["file_setattr", "ENOSYS"]];
    for (const [name, verdict] of changes) {
      assert.ok(fails({ ...usual, decisions: new Map([...usual.decisions, [name, verdict]]) }), name);
    }
    for (const [name, rule] of rulesOf(usual)) {
      if (numberOf(name, arch) === undefined) continue;
      const [first, ...rest] = rule.cases;
      const [test, ...tests] = first!.when;
      const other = { ...rule, cases: [{ ...first!, when: [{ ...test!, oneOf: [77] }, ...tests] }, ...rest] };
      assert.ok(fails({ ...usual, decisions: new Map([...usual.decisions, [name, other]]) }), name);
    }
  });
}

Deno.test("compileFilter() refuses every call in another architecture's numbering, and x32's", () => {
  for (const arch of ARCHES) {
    const program = decode(compileFilter(policyFor(), arch));
    for (let nr = 0; nr < 600; nr++) {
      const args = [1n, 1n, 0n, 0n, 0n, 0n];
      for (const foreign of [AUDIT_ARCH_I386, AUDIT_ARCH_ARM, 0]) {
        assert.equal(verdict(run(program, { arch: foreign, nr, args }).value), "ENOSYS");
      }
      assert.equal(verdict(run(program, { arch: AUDIT_ARCH[arch], nr: X32_BIT + nr, args }).value), "ENOSYS");
    }
  }
});
