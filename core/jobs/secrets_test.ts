/** Secrets of jobs on a simulated host: what is stored is sealed, and a key stands for one request all the same. */
import assert from "node:assert/strict";
import { EngineError } from "../errors.ts";
import { hideSecrets, wipeFiles } from "./secrets.ts";
import type { JobSpecInput } from "./spec.ts";
import { SimSecrets } from "./testing/sim_secrets.ts";
import { World } from "./testing/world.ts";

const box = new SimSecrets();
const file = (text: string) => new TextEncoder().encode(text);
const INPUT: JobSpecInput = {
  command: "x",
  env: { MODE: "test", API_TOKEN: "one" },
  secretEnv: { B: "two" },
  secretFiles: { f: file("three") },
};

Deno.test("a job keeps its secrets sealed, and what is not secret as it was given", async () => {
  const world = await World.open();
  const { spec, owner } = await world.manager.run(INPUT, "ann");
  assert.deepEqual(spec.env, { MODE: "test" });
  const opened = box.open(spec, owner);
  assert.deepEqual({ ...opened.env }, { B: "two", API_TOKEN: "one" });
  assert.deepEqual(opened.files, { f: file("three") });
  const plain = await world.manager.run({ command: "x" }, "ann");
  assert(!("secretEnv" in plain.spec) && !("secretFiles" in plain.spec));
});

Deno.test("a request with a used key is the same one only if its secrets are", async () => {
  const world = await World.open();
  const again = (fields: JobSpecInput) => world.manager.run({ ...INPUT, ...fields }, "ann", { idempotencyKey: "k" });
  const { id } = await again({});
  assert.equal((await again({})).id, id);
  assert.equal((await again({ secretFiles: { f: file("three") } })).id, id);
  const others: readonly JobSpecInput[] = [
    { secretEnv: { B: "2" } },
    { secretEnv: { C: "two" } },
    { secretEnv: { B: "two", C: "" } },
    { secretEnv: {} },
    { env: { MODE: "test", API_TOKEN: "two" } },
    { env: { MODE: "test" } },
    { secretFiles: { f: file("threE") } },
    { secretFiles: { f: file("three ") } },
    { secretFiles: { g: file("three") } },
    { secretFiles: {} },
  ];
  for (const other of others) {
    await assert.rejects(again(other), (error: unknown) => {
      assert(error instanceof EngineError && error.kind === "precondition", String(error));
      assert.match(error.message, /idempotency key 'k' again/);
      return true;
    });
  }
  assert.equal(world.store.list({}).jobs.length, 1);
});

Deno.test("later attempts and the runs of a recurring job have the job's secrets", async () => {
  const world = await World.open();
  const retried = await world.manager.run({ ...INPUT, retry: { limit: 1, delayMs: 1000 } }, "ann");
  const recurring = await world.manager.run({ ...INPUT, schedule: { when: "*/10 * * * *" } }, "ann");
  const [run] = world.host.running.values();
  world.host.end(run!, { kind: "exited", code: 1 });
  await world.settle();
  await world.crash();
  await world.start();
  world.clock.advance(600_000);
  await world.settle();
  const [occurrence] = world.store.list({ scheduledBy: recurring.id }).jobs;
  for (const job of [world.manager.get(retried.id), occurrence!]) {
    assert.equal(job.status.state, "running");
    assert.deepEqual(box.open(job.spec, job.owner), box.open(retried.spec, "ann"));
  }
  assert.equal(world.manager.get(retried.id).attempt, 2);
});

Deno.test("hideSecrets keeps names and sizes, wipeFiles leaves nothing of files", () => {
  const secrets = { env: { A: "one" }, files: { f: file("three") } };
  assert.deepEqual(hideSecrets(secrets), { env: { A: "***" }, files: { f: new Uint8Array(5) } });
  wipeFiles(secrets);
  assert.deepEqual(secrets.files.f, new Uint8Array(5));
});
