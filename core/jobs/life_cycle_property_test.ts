/** Random histories of jobs, with crashes, full disks and clocks that jump: what was accepted ends, once, as it did end. */
import fc from "fast-check";
import type { JobSpecInput } from "./spec.ts";
import { World } from "./testing/world.ts";

const HISTORIES = Number(Deno.env.get("JOBLET_HISTORIES") ?? 10_000);
const MIN_STEPS = 5;
const MAX_STEPS = 40;

/** What a step does; the number picks among what is there. */
type Step = readonly [(typeof ACTIONS)[number], number];

const ACTIONS = [
  "submit",
  "submit",
  "submit again",
  "end",
  "end",
  "end badly",
  "vanish",
  "stop",
  "cancel",
  "delete",
  "wait",
  "wait long",
  "set the clock",
  "crash",
  "crash",
  "restart",
  "reboot",
  "fill the disk",
  "free the disk",
  "settle",
  "settle",
] as const;

const step: fc.Arbitrary<Step> = fc.tuple(fc.constantFrom(...ACTIONS), fc.nat(1000));

function inputOf(number: number): JobSpecInput {
  const retry = { limit: number % 3, delayMs: (number % 4) * 1000 };
  return {
    command: number % 11 === 10 ? "missing" : "x",
    priority: number % 5,
    ...(number % 2 === 0 && { retry }),
    ...(number % 3 === 0 && { env: { A_TOKEN: `${number}` }, secretFiles: { f: new Uint8Array([number]) } }),
    ...(number % 7 === 3 && { schedule: { when: `${number % 50}s` } }),
    ...(number % 13 === 5 && {
      schedule: { when: "*/5 * * * *", overlap: (["allow", "skip", "replace"] as const)[number % 3]! },
    }),
  };
}

function pick<T>(items: Iterable<T>, number: number): T | undefined {
  const all = [...items];
  return all[number % Math.max(1, all.length)];
}

async function take(world: World, [action, number]: Step): Promise<void> {
  const { host, clock, store } = world;
  const run = pick(host.running.values(), number);
  const id = pick(world.acknowledged.keys(), number);
  switch (action) {
    case "submit":
      return world.submit(inputOf(number), number % 2 === 0 ? undefined : `k${number}`);
    case "submit again":
      return world.submit(inputOf(number % 7), `again${number % 7}`);
    case "end":
      return run && host.end(run, { kind: "exited", code: 0 });
    case "end badly":
      return run &&
        host.end(run, number % 2 ? { kind: "exited", code: 3 } : { kind: "signaled", signal: 9 }, {
          oomKilled: number % 4 === 0,
        });
    case "vanish":
      return run && host.end(run, undefined);
    case "stop":
      return id === undefined ? undefined : world.stop(id);
    case "cancel":
      return id === undefined ? undefined : world.cancel(id);
    case "delete":
      return id === undefined ? undefined : world.delete(id);
    case "wait":
      return clock.advance(number);
    case "wait long":
      return clock.advance(number * 1000);
    case "set the clock":
      return clock.set((number - 500) * 100_000);
    case "crash":
      await world.crash();
      return await world.start();
    case "restart":
      store.full = host.diskFull = false;
      await world.manager.close();
      await world.crash();
      return await world.start();
    case "reboot":
      await world.crash();
      host.reboot();
      return await world.start();
    case "fill the disk":
      store.full = host.diskFull = true;
      return;
    case "free the disk":
      store.full = host.diskFull = false;
      return;
    case "settle":
      return await world.settle();
  }
}

Deno.test(`${HISTORIES} random histories: nothing accepted is lost, run twice or told wrong, and everything ends`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: MIN_STEPS, maxLength: MAX_STEPS, size: "max" }), async (steps) => {
      const world = await World.open();
      for (const step of steps) {
        // A server can't be started while its disk is full.
        if (["crash", "reboot"].includes(step[0])) world.store.full = world.host.diskFull = false;
        await take(world, step);
        if (step[0] === "settle") world.noteEnds();
        world.check();
      }
      await world.finish();
    }),
    { numRuns: HISTORIES },
  );
});
