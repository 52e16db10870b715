import type { SyscallArg, TableCall } from "../../ffi/mod.ts";

/** One system call of a job's start, with a name that an error or a printed plan shows. */
export interface Step extends TableCall {
  readonly name: string;
}

/** The call as people read it: `mount("tmpfs", "dev", "tmpfs", 10, "size=64k")`. */
export function describeCall(step: Step): string {
  return `${step.call}(${step.args.map(describeArg).join(", ")})`;
}

function describeArg(arg: SyscallArg): string {
  if (typeof arg === "bigint" || typeof arg === "number") return arg < 10_000 ? String(arg) : `0x${arg.toString(16)}`;
  if (typeof arg === "string") return JSON.stringify(arg);
  if (arg instanceof Uint8Array) return `<${arg.length} bytes>`;
  if ("pointerAt" in arg) return `<${arg.bytes.length} bytes, which point to ${arg.target.length} more>`;
  return `[${arg.map((text) => JSON.stringify(text)).join(", ")}]`;
}
