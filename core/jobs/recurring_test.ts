/** Schedules on a simulated host, whose clock goes as it is told. */
import assert from "node:assert/strict";
import type { Job } from "./job.ts";
import type { MisfirePolicy, OverlapPolicy } from "./spec.ts";
import { World } from "./testing/world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

async function recurring(world: World, schedule: { misfire?: MisfirePolicy; overlap?: OverlapPolicy } = {}) {
  const submitted = world.manager.run({ command: "x", schedule: { when: "*/10 * * * *", ...schedule } }, "ann");
  return await submitted;
}

/** Its runs, oldest first. */
function runsOf(world: World, { id }: Job): readonly Job[] {
  return world.store.list({ scheduledBy: id, pageSize: 1000 }).jobs.toReversed();
}

async function pass(world: World, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= MINUTE) {
    world.clock.advance(Math.min(left, MINUTE));
    await world.settle();
  }
}

function endAll(world: World): void {
  for (const run of [...world.host.running.values()]) world.host.end(run, { kind: "exited", code: 0 });
}

Deno.test("a recurring job starts a run at each of its times, and none before", async () => {
  const world = await World.open();
  const job = await recurring(world);
  assert.equal(job.status.state === "scheduled" && job.status.at.toISOString(), "2026-01-01T00:10:00.000Z");
  await pass(world, 9 * MINUTE);
  assert.equal(runsOf(world, job).length, 0);
  for (let turn = 1; turn <= 3; turn++) {
    await pass(world, 10 * MINUTE);
    endAll(world);
    await world.settle();
    assert.deepEqual(runsOf(world, job).map(({ status }) => status.state), Array(turn).fill("completed"));
  }
  assert.equal(runsOf(world, job)[0]?.scheduledBy, job.id);
  assert.equal(runsOf(world, job)[0]?.spec.schedule, undefined);
});

for (const [misfire, expected] of [["run_once", 1], ["skip", 0]] as const) {
  Deno.test(`of runs missed while no server ran, ${misfire} starts ${expected}`, async () => {
    const world = await World.open();
    const job = await recurring(world, { misfire });
    await world.crash();
    world.clock.advance(5 * HOUR + 5 * MINUTE);
    await world.start();
    // An alarm for a moment that has passed goes off at once.
    world.clock.advance(0);
    await world.settle();
    assert.equal(runsOf(world, job).length, expected);
    await pass(world, 5 * MINUTE);
    assert.equal(runsOf(world, job).length, expected + 1);
  });
}

for (
  const [overlap, states] of [
    ["allow", ["running", "running"]],
    ["skip", ["running"]],
    ["replace", ["stopped", "running"]],
  ] as const
) {
  Deno.test(`a run that is due while one runs: ${overlap}`, async () => {
    const world = await World.open();
    const job = await recurring(world, { overlap });
    await pass(world, 21 * MINUTE);
    assert.deepEqual(runsOf(world, job).map(({ status }) => status.state), states);
  });
}

Deno.test("a clock that is set back repeats no run, one that is set forward misses none but by policy", async () => {
  const world = await World.open();
  const job = await recurring(world);
  await pass(world, 10 * MINUTE);
  assert.equal(runsOf(world, job).length, 1);
  world.clock.set(-HOUR);
  await world.settle();
  await pass(world, 59 * MINUTE);
  assert.equal(runsOf(world, job).length, 1);
  await pass(world, 11 * MINUTE);
  assert.equal(runsOf(world, job).length, 2);
  world.clock.set(10 * 365 * 24 * HOUR);
  await world.settle();
  assert.equal(runsOf(world, job).length, 3);
});

Deno.test("a job that is due at a time starts when the clock is set past it", async () => {
  const world = await World.open();
  const job = await world.manager.run({ command: "x", schedule: { when: "2026-01-01T12:00:00Z" } }, "ann");
  world.clock.set(11 * HOUR);
  await world.settle();
  assert.equal(world.manager.get(job.id).status.state, "scheduled");
  world.clock.set(2 * HOUR);
  await world.settle();
  assert.equal(world.manager.get(job.id).status.state, "running");
});

Deno.test("a time in the past is now", async () => {
  const world = await World.open();
  const job = await world.manager.run({ command: "x", schedule: { when: "2020-01-01T00:00:00Z" } }, "ann");
  world.clock.advance(1);
  await world.settle();
  assert.equal(world.manager.get(job.id).status.state, "running");
});

Deno.test("a canceled recurring job starts no more runs, and its runs go on", async () => {
  const world = await World.open();
  const job = await recurring(world);
  await pass(world, 10 * MINUTE);
  assert.equal((await world.manager.cancel(job.id)).status.state, "canceled");
  await pass(world, HOUR);
  assert.deepEqual(runsOf(world, job).map(({ status }) => status.state), ["running"]);
});
