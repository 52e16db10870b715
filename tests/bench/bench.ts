/**
 * `deno task bench [--json FILE]`: joblet beside other sandboxes, in one run on one machine. Set JOBLET_DIST to measure a
 * built file instead of the sources. No figure fails anything: machines differ.
 */
import { benchEngine } from "./engine_bench.ts";
import { benchServer } from "./server_bench.ts";
import { table } from "./stats.ts";

const jsonAt = Deno.args.indexOf("--json");
const figures = [...await benchEngine(), ...await benchServer()];
const host = { cpus: navigator.hardwareConcurrency, kernel: Deno.osRelease(), deno: Deno.version.deno };
const write = async (text: string) => void await Deno.stdout.write(new TextEncoder().encode(text));
await write(`${host.cpus} CPUs, Linux ${host.kernel}, Deno ${host.deno}\n\n${table(figures)}\n`);
const file = Deno.args[jsonAt + 1];
if (jsonAt >= 0 && file) await Deno.writeTextFile(file, JSON.stringify({ host, figures }, null, 2) + "\n");
