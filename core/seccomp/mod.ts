/** Which system calls a job's program may make, and the filter that the kernel enforces it by (seccomp(2)). */
export { compileFilter } from "./compile.ts";
export { describePolicy } from "./describe.ts";
export { type Policy, policyFor, type PolicyOptions } from "./policy.ts";
export type { ArgumentRule, ArgumentTest, Verdict } from "./rules.ts";
export { type Arch, isSyscall, numberOf, type Syscall, SYSCALLS } from "./syscalls.ts";
