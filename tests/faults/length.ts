/** How long the fault suite runs: a short time in the gate, as long as one likes in `deno task soak`. */

/** A count that the soak multiplies. @param name of its environment variable, for a single test's sake */
export function count(name: string, inGate: number, inSoak: number): number {
  const own = Deno.env.get(name);
  if (own !== undefined) return Number(own);
  const factor = Deno.env.get("JOBLET_SOAK");
  return factor === undefined ? inGate : Math.max(1, Math.round(inSoak * Number(factor)));
}
