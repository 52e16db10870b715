import { type ArgumentRule, RULES, STRICT_RULES, type Verdict } from "./rules.ts";
import { isSyscall, type Syscall } from "./syscalls.ts";
import { ABSENT, ALLOWED, callsOf, REFUSED, STRICTLY_ABSENT, WIDENINGS } from "./table.ts";

/** What a filter is made from. */
export interface Policy {
  /** What is decided of a call. One that is not named here fails with {@linkcode OTHERS}. */
  readonly decisions: ReadonlyMap<Syscall, Verdict | ArgumentRule>;
  /** What the administrator allowed besides, in his words. */
  readonly allow: readonly string[];
  readonly strict: boolean;
}

export interface PolicyOptions {
  /** System calls, or groups of them ("debug", "io_uring", "userns", "mounts"), to allow whatever their arguments. */
  readonly allow?: readonly string[];
  /** No sockets but local ones, no memfd_create. What `allow` names stays allowed. @default {false} */
  readonly strict?: boolean;
}

/** What becomes of calls that no policy knows, and of those in another architecture's numbering. */
export const OTHERS: Verdict = "ENOSYS";

/**
 * The policy for a job's program.
 *
 * @throws {RangeError} if `allow` names neither a system call nor a group
 */
export function policyFor(options: PolicyOptions = {}): Policy {
  const { allow = [], strict = false } = options;
  const decisions = new Map<Syscall, Verdict | ArgumentRule>();
  const decide = (names: readonly string[], decision: Verdict | ArgumentRule) => {
    for (const name of names) decisions.set(checked(name), decision);
  };
  decide(ALLOWED.flatMap(callsOf), "allow");
  decide(REFUSED.flatMap(callsOf), "EPERM");
  decide(ABSENT.flatMap(callsOf), "ENOSYS");
  for (const [name, rule] of Object.entries(RULES)) decide([name], rule);
  if (strict) {
    decide([STRICTLY_ABSENT], "ENOSYS");
    for (const [name, rule] of Object.entries(STRICT_RULES)) decide([name], rule);
  }
  for (const name of allow) decide(widening(name), "allow");
  return { decisions, allow, strict };
}

/** The calls that a name of `allow` stands for. A group goes before a call of the same name. */
function widening(name: string): string[] {
  const group = WIDENINGS.find((group) => group.name === name);
  return group ? callsOf(group) : [name];
}

function checked(name: string): Syscall {
  if (isSyscall(name)) return name;
  const groups = WIDENINGS.map((group) => group.name).join(", ");
  throw new RangeError(`Cannot allow '${name}': it is neither a system call nor one of the groups ${groups}`);
}
