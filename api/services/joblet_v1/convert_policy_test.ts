import assert from "node:assert/strict";
import { Code, ConnectError } from "@connectrpc/connect";
import { MisfirePolicy, OverlapPolicy, RetryOn } from "../../../proto/gen/joblet/v1/job_pb.ts";
import { setUp } from "../../testing/in_memory.ts";

Deno.test("runJob hands labels, priority, retries, the schedule and the idempotency key to the engine", async () => {
  const { engine, as } = setUp();
  await as("alice", "user").runJob({
    idempotencyKey: "key-1",
    spec: {
      command: "x",
      labels: { team: "a" },
      priority: -5,
      retry: { limit: 3, delay: { seconds: 2n }, on: [RetryOn.EXIT, RetryOn.LOST] },
      schedule: {
        when: "@daily",
        timeZone: "Europe/Berlin",
        misfire: MisfirePolicy.SKIP,
        overlap: OverlapPolicy.REPLACE,
      },
    },
  });
  const { labels, priority, retry, schedule } = engine.inputs[0]!;
  assert.deepEqual(labels, { team: "a" });
  assert.equal(priority, -5);
  assert.deepEqual(retry, { limit: 3, delayMs: 2000, on: ["exit", "lost"] });
  assert.deepEqual(schedule, { when: "@daily", timeZone: "Europe/Berlin", misfire: "skip", overlap: "replace" });
  assert.deepEqual(engine.keys, ["key-1"]);
});

Deno.test("unknown policies are INVALID_ARGUMENT", async () => {
  const { engine, as } = setUp();
  const alice = as("alice", "user");
  const specs = [
    { retry: { limit: 1, on: [99 as RetryOn] } },
    { retry: { limit: 1, on: [RetryOn.UNSPECIFIED] } },
    { retry: { limit: 1, delay: { seconds: -1n } } },
    { schedule: { when: "1s", misfire: 99 as MisfirePolicy } },
    { schedule: { when: "1s", overlap: 99 as OverlapPolicy } },
  ];
  for (const spec of specs) {
    const error = await alice.runJob({ spec: { command: "x", ...spec } }).then(() => undefined, ConnectError.from);
    assert.equal(error?.code, Code.InvalidArgument);
  }
  assert.deepEqual(engine.inputs, []);
});

Deno.test("jobs are told with attempts, due time, reason to wait and the recurring job", async () => {
  const { engine, as } = setUp();
  const alice = as("alice", "user");
  const at = new Date(1_700_000_000_000);
  const scheduled = engine.add("alice", { state: "scheduled", at });
  const pending = engine.add("alice", { state: "pending", waitingFor: "memory" });
  const end = { state: "failed", reason: "exited", endedAt: at, exit: { kind: "exited", code: 3 } } as const;
  engine.jobs.set(pending.id, { ...pending, attempt: 2, earlier: [end], scheduledBy: scheduled.id });
  assert.equal((await alice.getJob({ id: scheduled.id })).job?.scheduledAt?.seconds, 1_700_000_000n);
  const { job } = await alice.getJob({ id: pending.id });
  assert.deepEqual([job?.attempt, job?.waitingFor, job?.scheduledBy], [2, "memory", scheduled.id]);
  assert.deepEqual([job?.earlierAttempts.length, job?.earlierAttempts[0]?.exitCode], [1, 3]);
});

Deno.test("cancelJob answers with the canceled job, and FAILED_PRECONDITION for one that runs", async () => {
  const { engine, as } = setUp();
  const alice = as("alice", "user");
  const waiting = engine.add("alice", { state: "pending" });
  assert.equal((await alice.cancelJob({ id: waiting.id })).job?.id, waiting.id);
  const { id } = engine.add("alice", { state: "running", startedAt: new Date() });
  const error = await alice.cancelJob({ id }).then(() => undefined, ConnectError.from);
  assert.equal(error?.code, Code.FailedPrecondition);
});

Deno.test("deleteJobs deletes a user's own jobs only, whatever owner it asks for, and an admin everybody's", async () => {
  const { engine, as } = setUp();
  assert.deepEqual((await as("bob", "user").deleteJobs({ owner: "alice" })).deleted, 0n);
  const { deleted, skipped } = await as("bob", "user").deleteJobs({ labels: { a: "1" } });
  assert.deepEqual([deleted, skipped], [3n, 1n]);
  await as("root", "admin").deleteJobs({});
  await as("root", "admin").deleteJobs({ owner: "alice" });
  assert.deepEqual(engine.deletions, [{ owner: "bob", labels: { a: "1" } }, {}, { owner: "alice" }]);
});
