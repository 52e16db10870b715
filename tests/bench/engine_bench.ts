/** The engine as a library, without API, against other sandboxes. */
import { defaultEngineConfig } from "../../core/config.ts";
import { openEngine } from "../../core/engine.ts";
import type { Engine } from "../../core/jobs/engine.ts";
import { homeAt } from "../../core/values/home.ts";
import { installedRivals, ratePerSecond, timeSerially } from "./rivals.ts";
import { type Figure, percentile, perSecond, times } from "./stats.ts";

const ROUNDS = 30;
const RUNS_A_ROUND = 10;
const RATE_RUNS = 400;
const IN_FLIGHT = 16;

/** Runs `true` to its stored end. */
async function runTrue(engine: Engine): Promise<void> {
  const job = await engine.run({ command: "true" }, "bench");
  for await (const _ of engine.watch(job.id, AbortSignal.timeout(60_000)));
}

export async function benchEngine(): Promise<Figure[]> {
  const dir = await Deno.makeTempDir({ prefix: "joblet-bench-" });
  const engine = await openEngine(defaultEngineConfig(homeAt(`${dir}/home`)), (what, error) => {
    throw new Error(`Cannot ${what}`, { cause: error });
  });
  try {
    const rivals = await installedRivals(dir);
    const own: number[] = [];
    const others = new Map(rivals.map(({ name }) => [name, [] as number[]]));
    // Side by side, round by round: the machine is shared and its speed drifts.
    for (let round = 0; round < ROUNDS; round++) {
      for (let run = 0; run < RUNS_A_ROUND; run++) {
        const begin = performance.now();
        await runTrue(engine);
        own.push(performance.now() - begin);
      }
      for (const rival of rivals) others.get(rival.name)!.push(await timeSerially(rival, RUNS_A_ROUND));
    }
    const figures = [times("start to exit of true: joblet engine, durable", own)];
    for (const [name, values] of others) {
      const ratio = percentile(own, 0.5) / percentile(values, 0.5);
      const note = `mean of ${RUNS_A_ROUND}; joblet takes ${ratio.toFixed(2)} of it`;
      figures.push({ name: `start to exit of true: ${name}`, unit: "ms", value: percentile(values, 0.5), note });
    }
    const rate = await perSecond(RATE_RUNS, IN_FLIGHT, () => runTrue(engine));
    figures.push({ name: `${IN_FLIGHT} in flight: joblet engine, durable`, unit: "jobs/s", value: rate });
    for (const rival of rivals) {
      const value = await ratePerSecond(rival, RATE_RUNS, IN_FLIGHT);
      figures.push({ name: `${IN_FLIGHT} in flight: ${rival.name}`, unit: "jobs/s", value });
    }
    return figures;
  } finally {
    await engine.close();
    await Deno.remove(dir, { recursive: true });
  }
}
