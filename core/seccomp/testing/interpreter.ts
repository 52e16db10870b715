/** Runs and checks filters as the kernel does (kernel/seccomp.c, net/core/filter.c), for tests. */
import {
  ALU_AND_K,
  type Instruction,
  INSTRUCTION_BYTES,
  JMP_JA,
  JMP_JEQ_K,
  JMP_JGE_K,
  LD_W_ABS,
  MAX_INSTRUCTIONS,
  RET_K,
} from "../bpf.ts";

/** struct seccomp_data: a system call as a filter sees it. */
export interface Call {
  /** AUDIT_ARCH_* */
  readonly arch: number;
  /** As unsigned 32 bits. */
  readonly nr: number;
  /** Six, of 64 bits each. */
  readonly args: readonly bigint[];
}

const DATA_BYTES = 64;

/** The instructions of struct sock_filter[]. */
export function decode(bytes: Uint8Array<ArrayBuffer>): Instruction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / INSTRUCTION_BYTES }, (_, index) => ({
    code: view.getUint16(index * INSTRUCTION_BYTES, true),
    jt: view.getUint8(index * INSTRUCTION_BYTES + 2),
    jf: view.getUint8(index * INSTRUCTION_BYTES + 3),
    k: view.getUint32(index * INSTRUCTION_BYTES + 4, true),
  }));
}

/** What the kernel would refuse a program for; empty if nothing. */
export function faults(program: readonly Instruction[]): string[] {
  const found: string[] = [];
  const reached = new Set([0]);
  if (program.length < 1 || program.length > MAX_INSTRUCTIONS) found.push(`${program.length} instructions`);
  program.forEach(({ code, jt, jf, k }, index) => {
    if (!reached.has(index)) found.push(`${index}: is never reached`);
    const nexts: Readonly<Record<number, readonly number[]>> = {
      [LD_W_ABS]: [0],
      [ALU_AND_K]: [0],
      [JMP_JA]: [k],
      [JMP_JEQ_K]: [jt, jf],
      [JMP_JGE_K]: [jt, jf],
      [RET_K]: [],
    };
    const targets = nexts[code]?.map((skip) => index + 1 + skip);
    if (!targets) found.push(`${index}: unknown code ${code}`);
    for (const target of targets ?? []) {
      if (target >= program.length) found.push(`${index}: goes on at ${target}, outside`);
      reached.add(target);
    }
    if (code === LD_W_ABS && (k % 4 !== 0 || k >= DATA_BYTES)) found.push(`${index}: loads from ${k}`);
  });
  return found;
}

/** The value that a program ends with, and how many instructions it took. */
export function run(program: readonly Instruction[], call: Call): { readonly value: number; readonly steps: number } {
  const data = new DataView(new ArrayBuffer(DATA_BYTES));
  data.setUint32(0, call.nr, true);
  data.setUint32(4, call.arch, true);
  call.args.forEach((arg, index) => data.setBigUint64(16 + 8 * index, arg, true));
  let accumulator = 0;
  let next = 0;
  for (let steps = 1; steps <= program.length; steps++) {
    const { code, jt, jf, k } = program[next++]!;
    if (code === RET_K) return { value: k, steps };
    else if (code === LD_W_ABS) accumulator = data.getUint32(k, true);
    else if (code === ALU_AND_K) accumulator = (accumulator & k) >>> 0;
    else if (code === JMP_JA) next += k;
    else if (code === JMP_JEQ_K) next += accumulator === k ? jt : jf;
    else if (code === JMP_JGE_K) next += accumulator >= k ? jt : jf;
    else throw new Error(`Cannot run code ${code}`);
  }
  throw new Error("Program does not end");
}
