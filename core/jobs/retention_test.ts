import assert from "node:assert/strict";
import { MemoryStore } from "../state/memory_store.ts";
import { newJobId } from "../values/job_id.ts";
import { someJob } from "./_job_fixture.ts";
import { transition } from "./job.ts";
import { removeOrphans, Retention, type RetentionLimits } from "./retention.ts";
import { SimClock } from "./testing/sim_clock.ts";
import { SimHost } from "./testing/sim_host.ts";

const NOW = 1_000_000_000;
const startedAt = new Date(1);

/** Jobs that ended so many seconds ago, with 10 bytes of output each. */
async function setUp(limits: RetentionLimits, ...ages: readonly number[]) {
  const store = new MemoryStore();
  const clock = new SimClock(NOW);
  const removed: string[] = [];
  const logs = { ...new SimHost(clock).logs(), remove: (id: string) => Promise.resolve(void removed.push(id)) };
  const ids: string[] = [];
  for (const age of ages) {
    const running = transition(someJob(), { state: "running", startedAt });
    await store.insert(running);
    const endedAt = new Date(NOW - age * 1000);
    const exit = { kind: "exited", code: 0 } as const;
    await store.replace(
      transition(running, { state: "completed", reason: "exited", endedAt, exit, usage: { logBytes: 10 } }),
    );
    ids.push(running.id);
  }
  const onError = (what: string, error: unknown) => {
    throw new Error(what, { cause: error });
  };
  const retention = new Retention({
    store,
    logs,
    runner: { discard: () => Promise.resolve() },
    clock,
    limits,
    onError,
  });
  const left = () => ids.filter((id) => store.get(id)).map((id) => ages[ids.indexOf(id)]);
  return { store, clock, logs, removed, ids, retention, left };
}

Deno.test("Retention removes the oldest jobs beyond the number to be kept, with their output", async () => {
  const { retention, left, removed, ids } = await setUp({ maxJobs: 2 }, 50, 10, 40, 20);
  await retention.enforce();
  assert.deepEqual(left(), [10, 20]);
  assert.deepEqual(removed.sort(), [ids[0], ids[2]].sort());
});

Deno.test("Retention removes jobs at their age, and looks again when the next one reaches it", async () => {
  const { retention, clock, left } = await setUp({ maxAgeMs: 60_000 }, 61, 60, 59, 1);
  retention.look();
  await retention.enforce();
  assert.deepEqual(left(), [59, 1]);
  await Promise.resolve();
  clock.advance(10_000);
  await retention.enforce();
  assert.deepEqual(left(), [1]);
  await retention.close();
});

Deno.test("Retention removes the oldest output beyond its bytes and its age, and keeps the jobs", async () => {
  const { retention, store, left, removed, ids } = await setUp(
    { maxLogBytes: 25, maxLogAgeMs: 45_000 },
    50,
    40,
    30,
    20,
  );
  await retention.enforce();
  assert.deepEqual(left(), [50, 40, 30, 20]);
  assert.deepEqual(removed, [ids[0], ids[1]]);
  assert.deepEqual(store.endedTotals(), { jobs: 4, logBytes: 20 });
});

Deno.test("Retention without bounds removes nothing", async () => {
  const { retention, left } = await setUp({}, 1_000_000);
  await retention.enforce();
  assert.deepEqual(left(), [1_000_000]);
});

Deno.test("removeOrphans removes output of jobs that are stored no more, and no other", async () => {
  const { store, logs, removed, ids } = await setUp({}, 1);
  const orphan = newJobId();
  const list = async function* () {
    for (const id of [ids[0]!, orphan]) yield await Promise.resolve({ id, attempt: 1 });
  };
  await removeOrphans({ store, logs: { ...logs, list }, onError: assert.fail }, new AbortController().signal);
  assert.deepEqual(removed, [orphan]);
});
