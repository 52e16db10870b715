import type { Policy } from "./policy.ts";
import { callsOf, WIDENINGS } from "./table.ts";

/** A policy in a few lines for people: how many calls it decides in which way, and what is not as usual. */
export function describePolicy(policy: Policy): string[] {
  const decisions = [...policy.decisions];
  const count = (verdict: string) => decisions.filter(([, decision]) => decision === verdict).length;
  const byArgument = decisions.filter(([, decision]) => typeof decision === "object").map(([name]) => name);
  const lines = [
    `system calls: ${count("allow")} allowed, ${byArgument.length} by their arguments, ${
      count("EPERM")
    } refused with ` +
    "EPERM, all others with ENOSYS",
    `by their arguments: ${byArgument.sort().join(", ")}`,
  ];
  if (policy.strict) lines.push("strict: no sockets but local ones, no memfd_create");
  for (const name of policy.allow) {
    const group = WIDENINGS.find((group) => group.name === name);
    lines.push(`allowed besides: ${name}${group ? ` (${callsOf(group).join(", ")})` : ""}`);
  }
  return lines;
}
