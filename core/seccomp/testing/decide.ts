import type { Policy } from "../policy.ts";
import type { Verdict } from "../rules.ts";
import { type Arch, numberOf } from "../syscalls.ts";
import type { Call } from "./interpreter.ts";

/** AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64, written out again: this must not share a mistake with the compiler. */
const ARCH_OF: Readonly<Record<Arch, bigint>> = { x86_64: 0xc000003en, aarch64: 0xc00000b7n };

/** What a policy says of a call, read from its table word by word. For tests: the compiler is held against it. */
export function decide(policy: Policy, arch: Arch, call: Call): Verdict {
  if (BigInt(call.arch) !== ARCH_OF[arch]) return "ENOSYS";
  if (arch === "x86_64" && BigInt(call.nr) >> 30n !== 0n) return "ENOSYS";
  for (const [name, decision] of policy.decisions) {
    if (numberOf(name, arch) !== call.nr) continue;
    if (typeof decision === "string") return decision;
    const chosen = decision.cases.find(({ when }) =>
      when.every(({ arg, mask = 0xffffffff, oneOf }) => {
        const low = call.args[arg]! % (1n << 32n);
        return oneOf.some((value) => (low & BigInt(mask)) === BigInt(value));
      })
    );
    return chosen?.then ?? decision.otherwise;
  }
  return "ENOSYS";
}
