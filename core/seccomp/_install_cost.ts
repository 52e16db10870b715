/** What installing the filter costs: `deno run -A core/seccomp/_install_cost.ts`. Needs python3. */
import { compileFilter, describePolicy, policyFor } from "./mod.ts";

const HELPER = new URL("testing/under_filter.py", import.meta.url).pathname;
const print = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));

for (const strict of [false, true]) {
  const policy = policyFor({ strict });
  for (const line of describePolicy(policy)) print(line);
  for (const arch of ["x86_64", "aarch64"] as const) {
    const began = performance.now();
    const filter = compileFilter(policy, arch);
    print(`${arch}: ${filter.length / 8} instructions, compiled in ${(performance.now() - began).toFixed(2)} ms`);
  }
  const filter = compileFilter(policy, Deno.build.arch).toHex();
  const { stdout } = new Deno.Command("python3", { args: [HELPER, filter, "cost"] }).outputSync();
  const [without, with_] = (JSON.parse(new TextDecoder().decode(stdout)) as [number, number]).map((s) => s * 1e6);
  print(`fork and exit: ${without!.toFixed(0)} µs without, ${with_!.toFixed(0)} µs with the filter\n`);
}
