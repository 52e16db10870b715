/** Attempts, boots and disks on a simulated host. */
import assert from "node:assert/strict";
import { EngineError } from "../errors.ts";
import { World } from "./testing/world.ts";

function endRun(world: World, code: number): void {
  const [run] = world.host.running.values();
  assert(run);
  world.host.end(run, { kind: "exited", code });
}

Deno.test("a job is tried again after its delay, as often as it may, and keeps how each attempt ended", async () => {
  const world = await World.open();
  const { id } = await world.manager.run({ command: "x", retry: { limit: 2, delayMs: 5000 } }, "ann");
  for (const code of [3, 4]) {
    endRun(world, code);
    await world.settle();
    const waiting = world.manager.get(id);
    assert.equal(waiting.status.state, "scheduled");
    world.clock.advance(4999);
    await world.settle();
    assert.equal(world.manager.get(id).status.state, "scheduled");
    world.clock.advance(1);
    await world.settle();
    assert.equal(world.manager.get(id).status.state, "running");
  }
  endRun(world, 5);
  await world.settle();
  const { status, attempt, earlier } = world.manager.get(id);
  assert.deepEqual([status.state, attempt], ["failed", 3]);
  assert.deepEqual(earlier.map(({ exit }) => exit), [3, 4].map((code) => ({ kind: "exited", code })));
});

Deno.test("a job that ends well is not tried again, nor one that is stopped", async () => {
  const world = await World.open();
  const retry = { limit: 5, delayMs: 0 };
  const good = await world.manager.run({ command: "x", retry }, "ann");
  endRun(world, 0);
  await world.settle();
  assert.deepEqual([world.manager.get(good.id).status.state, world.manager.get(good.id).attempt], ["completed", 1]);
  const stopped = await world.manager.run({ command: "x", retry }, "ann");
  assert.equal((await world.manager.stop(stopped.id)).status.state, "stopped");
});

Deno.test("a stop between two attempts cancels the job", async () => {
  const world = await World.open();
  const { id } = await world.manager.run({ command: "x", retry: { limit: 5, delayMs: 60_000 } }, "ann");
  endRun(world, 1);
  await world.settle();
  const job = await world.manager.stop(id);
  assert.deepEqual([job.status.state, job.earlier.length], ["canceled", 1]);
});

Deno.test("after a restart of the host former running jobs are lost, say why, and are tried again by policy", async () => {
  const world = await World.open();
  const plain = await world.manager.run({ command: "x" }, "ann");
  const again = await world.manager.run({ command: "x", retry: { limit: 1, delayMs: 0, on: ["lost"] } }, "ann");
  await world.settle();
  world.store.commit();
  await world.crash();
  world.host.reboot();
  await world.start();
  const lost = world.manager.get(plain.id);
  assert.equal(lost.status.state, "lost");
  assert("detail" in lost.status && lost.status.detail === "the host was restarted");
  const retried = world.manager.get(again.id);
  assert.deepEqual([retried.status.state, retried.attempt], ["running", 2]);
  assert.equal(retried.earlier[0]?.detail, "the host was restarted");
});

Deno.test("a job whose init was killed is lost and says so", async () => {
  const world = await World.open();
  const { id } = await world.manager.run({ command: "x" }, "ann");
  const [run] = world.host.running.values();
  world.host.end(run!, undefined);
  await world.settle();
  const { status } = world.manager.get(id);
  assert(status.state === "lost" && status.detail === "its init was killed");
});

Deno.test("with a full disk new jobs are refused, a stop still ends its job, and ends are stored when there is room", async () => {
  const world = await World.open();
  const ending = await world.manager.run({ command: "x" }, "ann");
  const victim = await world.manager.run({ command: "x" }, "ann");
  await world.settle();
  world.store.full = world.host.diskFull = true;
  await assert.rejects(
    world.manager.run({ command: "x" }, "ann"),
    (error) => error instanceof EngineError && error.kind === "exhausted",
  );
  world.host.end(world.host.running.get(ending.id)!, { kind: "exited", code: 7 });
  const stopped = world.manager.stop(victim.id);
  await world.settle();
  assert.equal(world.host.running.size, 0);
  world.store.full = world.host.diskFull = false;
  world.clock.advance(1000);
  await world.settle();
  assert.equal((await stopped).status.state, "stopped");
  const { status } = world.manager.get(ending.id);
  assert.deepEqual("exit" in status && status.exit, { kind: "exited", code: 7 });
});

Deno.test("a queued job that finds no room on the disk waits, says so, and starts when there is", async () => {
  const world = await World.open();
  world.host.diskFull = false;
  const running = [1, 2, 3].map(() => world.manager.run({ command: "x" }, "ann"));
  await Promise.all(running);
  const waiting = await world.manager.run({ command: "x" }, "ann");
  assert(waiting.status.state === "pending" && waiting.status.waitingFor?.startsWith("a free place"));
  world.host.diskFull = true;
  endRun(world, 0);
  await world.settle();
  const stuck = world.manager.get(waiting.id);
  assert(stuck.status.state === "pending" && stuck.status.waitingFor === "room on the disk of JOBLET_HOME");
  world.host.diskFull = false;
  world.clock.advance(1000);
  await world.settle();
  assert.equal(world.manager.get(waiting.id).status.state, "running");
});

Deno.test("draining takes no new jobs, starts none that wait, and is done when the last one ends", async () => {
  const world = await World.open();
  for (let number = 0; number < 4; number++) await world.manager.run({ command: "x" }, "ann");
  let drained = false;
  const drain = world.manager.drain(new AbortController().signal).then(() => drained = true);
  await assert.rejects(world.manager.run({ command: "x" }, "ann"), /takes no new ones/);
  endRun(world, 0);
  await world.settle();
  assert.deepEqual([drained, world.host.running.size], [false, 2]);
  endRun(world, 0);
  endRun(world, 0);
  await drain;
  assert.equal(world.store.live().length, 1);
});
