/**
 * A policy as a program for the kernel:
 *
 *     load arch ─ other ──────────────► ENOSYS
 *     load nr ─── x32 (x86-64 only) ──► ENOSYS
 *     search tree over ranges of numbers that are decided alike
 *       ├─► allow, EPERM, ENOSYS
 *       └─► checks of arguments, one block a rule
 *
 * The tree keeps the way to each decision at the logarithm of their count. That is for the start of a job, more than
 * for the calls themselves: at installation the kernel runs the program once for each number, to remember those that it
 * always allows.
 */
import { errnoNumber } from "../../ffi/mod.ts";
import { JMP_JEQ_K, JMP_JGE_K, type Place, ProgramBuilder } from "./bpf.ts";
import { OTHERS, type Policy } from "./policy.ts";
import type { ArgumentRule, ArgumentTest, Verdict } from "./rules.ts";
import { type Arch, numberOf } from "./syscalls.ts";

/** AUDIT_ARCH_* of linux/audit.h. */
export const AUDIT_ARCH: Readonly<Record<Arch, number>> = { x86_64: 0xc000003e, aarch64: 0xc00000b7 };
/** Calls in the x32 numbering come under x86-64's name, with this bit set (__X32_SYSCALL_BIT). */
export const X32_BIT = 0x40000000;

/** struct seccomp_data of linux/seccomp.h: int nr; u32 arch; u64 instruction_pointer; u64 args[6]. */
const OFFSET_NR = 0;
const OFFSET_ARCH = 4;
/** Both architectures are little-endian: the low word of an argument comes first. */
const offsetOfArgument = (index: number) => 16 + 8 * index;

const SECCOMP_RET_ALLOW = 0x7fff0000;
const SECCOMP_RET_ERRNO = 0x00050000;

type Decision = Verdict | ArgumentRule;

/** Numbers from `first` up to the next range's. */
interface Range {
  readonly first: number;
  readonly decision: Decision;
}

/** The filter for processes of this architecture, as struct sock_filter[]. */
export function compileFilter(policy: Policy, arch: Arch): Uint8Array<ArrayBuffer> {
  const builder = new ProgramBuilder();
  const others = () => emitVerdict(builder, OTHERS);
  const blocks = new Map<Decision, Place>();
  const ranges = rangesOf(policy, arch);
  for (const { decision } of ranges) {
    if (typeof decision === "object" && !blocks.has(decision)) blocks.set(decision, emitRule(builder, decision));
  }
  const leaf = (decision: Decision) =>
    typeof decision === "string" ? emitVerdict(builder, decision) : blocks.get(decision)!;
  let start = emitTree(builder, ranges, leaf);
  if (arch === "x86_64") start = builder.branch(JMP_JGE_K, X32_BIT, others(), start);
  start = builder.load(OFFSET_NR, start);
  start = builder.branch(JMP_JEQ_K, AUDIT_ARCH[arch], start, others());
  builder.load(OFFSET_ARCH, start);
  return builder.bytes();
}

/** All numbers from 0 as ranges that are decided alike; the last one has no end. */
function rangesOf(policy: Policy, arch: Arch): Range[] {
  const decisions = new Map<number, Decision>();
  for (const [name, decision] of policy.decisions) {
    const number = numberOf(name, arch);
    if (number !== undefined) decisions.set(number, decision);
  }
  const end = Math.max(...decisions.keys()) + 1;
  const ranges: Range[] = [];
  for (let number = 0; number <= end; number++) {
    const decision = decisions.get(number) ?? OTHERS;
    if (ranges.at(-1)?.decision !== decision) ranges.push({ first: number, decision });
  }
  return ranges;
}

/** A balanced search tree for the loaded number. */
function emitTree(builder: ProgramBuilder, ranges: readonly Range[], leaf: (decision: Decision) => Place): Place {
  const [before, one, after] = ranges;
  if (ranges.length === 1) return leaf(before!.decision);
  // A single exception within a range: one comparison instead of two.
  if (ranges.length === 3 && before!.decision === after!.decision && after!.first === one!.first + 1) {
    return builder.branch(JMP_JEQ_K, one!.first, leaf(one!.decision), leaf(before!.decision));
  }
  const middle = ranges.length >> 1;
  const high = emitTree(builder, ranges.slice(middle), leaf);
  const low = emitTree(builder, ranges.slice(0, middle), leaf);
  return builder.branch(JMP_JGE_K, ranges[middle]!.first, high, low);
}

function emitVerdict(builder: ProgramBuilder, verdict: Verdict): Place {
  return builder.ret(verdict === "allow" ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | errnoNumber(verdict));
}

/** Case after case, from the last one. */
function emitRule(builder: ProgramBuilder, rule: ArgumentRule): Place {
  return rule.cases.reduceRight<Place>((next, { when, then }) => {
    const verdict = emitVerdict(builder, then);
    return when.reduceRight<Place>((holds, test) => emitTest(builder, test, holds, next), verdict);
  }, emitVerdict(builder, rule.otherwise));
}

function emitTest(builder: ProgramBuilder, test: ArgumentTest, holds: Place, fails: Place): Place {
  let start = test.oneOf.reduceRight<Place>((next, value) => builder.branch(JMP_JEQ_K, value, holds, next), fails);
  if (test.mask !== undefined) start = builder.and(test.mask, start);
  return builder.load(offsetOfArgument(test.arg), start);
}
