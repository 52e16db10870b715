/** The engine as a library, without API, against other sandboxes. */
import { defaultEngineConfig } from "../../core/config.ts";
import { openEngine } from "../../core/engine.ts";
import type { Engine } from "../../core/jobs/engine.ts";
import { MemoryStore } from "../../core/state/memory_store.ts";
import type { JobStore } from "../../core/state/store.ts";
import { homeAt } from "../../core/values/home.ts";
import { installedRivals, ratePerSecond, type Rival, timeSerially } from "./rivals.ts";
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

async function withEngine<T>(
  home: string,
  store: JobStore | undefined,
  body: (engine: Engine) => Promise<T>,
): Promise<T> {
  const onError = (what: string, error: unknown) => {
    throw new Error(`Cannot ${what}`, { cause: error });
  };
  const config = defaultEngineConfig(homeAt(home));
  const engine = await (store ? openEngine(config, onError, { openJobs: () => store }) : openEngine(config, onError));
  try {
    return await body(engine);
  } finally {
    await engine.close();
  }
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await run();
  return performance.now() - begin;
}

export async function benchEngine(): Promise<Figure[]> {
  const dir = await Deno.makeTempDir({ prefix: "joblet-bench-" });
  try {
    return await withEngine(
      `${dir}/durable`,
      undefined,
      (durable) =>
        withEngine(`${dir}/memory`, new MemoryStore(), async (memory) => {
          const rivals = await installedRivals(dir);
          return [...await benchSerially(durable, memory, rivals), ...await benchRates(durable, memory, rivals)];
        }),
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Side by side, round by round: the machine is shared and its speed drifts. */
async function benchSerially(durable: Engine, memory: Engine, rivals: readonly Rival[]): Promise<Figure[]> {
  const [own, stored]: [number[], number[]] = [[], []];
  const others = rivals.map((rival) => ({ rival, values: [] as number[] }));
  for (let round = 0; round < ROUNDS; round++) {
    for (let run = 0; run < RUNS_A_ROUND; run++) own.push(await timed(() => runTrue(memory)));
    for (const { rival, values } of others) values.push(await timeSerially(rival, RUNS_A_ROUND));
    for (let run = 0; run < RUNS_A_ROUND; run++) stored.push(await timed(() => runTrue(durable)));
  }
  return [
    times("start to exit of true: joblet engine", own, "state in memory, output in a journal"),
    times("start to exit of true: joblet engine, durable state", stored),
    ...others.map(({ rival, values }) => {
      const value = percentile(values, 0.5);
      const note = `mean of ${RUNS_A_ROUND}; joblet takes ${(percentile(own, 0.5) / value).toFixed(2)} of it`;
      return { name: `start to exit of true: ${rival.name}`, unit: "ms", value, note };
    }),
  ];
}

async function benchRates(durable: Engine, memory: Engine, rivals: readonly Rival[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [kind, engine] of [["", memory], [", durable state", durable]] as const) {
    const value = await perSecond(RATE_RUNS, IN_FLIGHT, () => runTrue(engine));
    figures.push({ name: `${IN_FLIGHT} in flight: joblet engine${kind}`, unit: "jobs/s", value });
  }
  for (const rival of rivals) {
    const value = await ratePerSecond(rival, RATE_RUNS, IN_FLIGHT);
    figures.push({ name: `${IN_FLIGHT} in flight: ${rival.name}`, unit: "jobs/s", value });
  }
  return figures;
}
