/** What every JobStore must do; each implementation's test runs it. */
import assert from "node:assert/strict";
import { EngineError } from "../errors.ts";
import { someJob } from "../jobs/_job_fixture.ts";
import { type Job, type JobStatus, nextAttempt, transition } from "../jobs/job.ts";
import { newJobId } from "../values/job_id.ts";
import type { JobStore } from "./store.ts";

const startedAt = new Date(1_700_000_001_456);
const RUNNING: JobStatus = { state: "running", startedAt };
const DONE: JobStatus = {
  state: "completed",
  reason: "exited",
  startedAt,
  endedAt: new Date(1_700_000_002_789),
  exit: { kind: "exited", code: 0 },
  usage: { cpuUserMs: 1.5 },
};

const FAILED = {
  state: "failed",
  reason: "exited",
  startedAt,
  endedAt: new Date(1_700_000_002_000),
  exit: { kind: "exited", code: 3 },
  usage: { logBytes: 100 },
} as const;

function isKind(kind: string) {
  return (error: unknown) => error instanceof EngineError && error.kind === kind;
}

type OpenStore = () => { readonly store: JobStore; readonly cleanUp: () => Promise<void> };

type RegisterTest = (name: string, body: (store: JobStore) => Promise<void>) => void;

/** Registers the contract's tests. @param open gives an empty store and frees it with `close` */
export function storeContract(kind: string, open: OpenStore): void {
  const test: RegisterTest = (name, body) =>
    Deno.test(`${kind} ${name}`, async () => {
      const { store, cleanUp } = open();
      try {
        await body(store);
      } finally {
        await store.close();
        await cleanUp();
      }
    });
  writingContract(test);
  togetherContract(test);
  readingContract(test);
  filterContract(test);
  endedContract(test);
}

function writingContract(test: RegisterTest): void {
  test("gives back exactly what was inserted, through every state", async (store) => {
    const job = someJob();
    await store.insert(job);
    assert.deepEqual(store.get(job.id), job);
    const running = transition(job, RUNNING);
    await store.replace(running);
    const done = transition(running, DONE);
    await store.replace(done);
    assert.deepEqual(store.get(job.id), done);
    assert.equal(store.get(newJobId()), undefined);
  });

  test("keeps attempts, the recurring job that a run is of, and the end of an earlier attempt", async (store) => {
    const job = someJob({ scheduledBy: newJobId(), idempotencyKey: "k" });
    await store.insert(job);
    const running = transition(job, RUNNING);
    await store.replace(running);
    const again = nextAttempt(running, { ...FAILED }, { state: "scheduled", at: new Date(1_700_000_003_000) });
    await store.replace(again);
    assert.deepEqual(store.get(job.id), again);
  });

  test("shows a write before it is durable", async (store) => {
    const job = someJob();
    const stored = store.insert(job);
    assert.deepEqual(store.get(job.id), job);
    await stored;
  });

  test("refuses a second insert and a change of an old version, and keeps what it has", async (store) => {
    const job = someJob();
    await store.insert(job);
    const running = transition(job, RUNNING);
    const writes = [store.insert(job), store.replace(running), store.replace(running), store.insert(someJob())];
    const [again, first, second, other] = await Promise.allSettled(writes);
    assert(again?.status === "rejected" && isKind("conflict")(again.reason));
    assert.equal(first?.status, "fulfilled");
    assert(second?.status === "rejected" && isKind("conflict")(second.reason));
    assert.equal(other?.status, "fulfilled", "a conflict does not undo its neighbours");
    assert.deepEqual(store.get(job.id), running);
    await assert.rejects(store.replace(transition(someJob(), RUNNING)), isKind("conflict"));
  });
}

function togetherContract(test: RegisterTest): void {
  test("finds a job by its owner's idempotency key, which no second job of that owner may have", async (store) => {
    const job = someJob({ idempotencyKey: "once" });
    await store.insert(job);
    assert.deepEqual(store.findByKey("ann", "once"), job);
    assert.equal(store.findByKey("bob", "once"), undefined);
    await assert.rejects(store.insert(someJob({ idempotencyKey: "once" })), isKind("conflict"));
    await store.insert(someJob({ owner: "bob", idempotencyKey: "once" }));
  });

  test("makes several writes together or not at all", async (store) => {
    const [first, second, third] = [someJob(), someJob(), someJob()];
    await store.insert(first);
    const running = transition(first, RUNNING);
    await assert.rejects(
      store.write([{ insert: second }, { replace: { ...running, version: 9 } }]),
      isKind("conflict"),
    );
    assert.equal(store.get(second.id), undefined);
    await store.write([{ replace: running }, { insert: third }]);
    assert.deepEqual([store.get(first.id), store.get(third.id)], [running, third]);
  });

  test("keeps notes beside the jobs", async (store) => {
    assert.equal(store.getNote("boot"), undefined);
    await store.setNote("boot", "a");
    await store.setNote("boot", "b");
    assert.equal(store.getNote("boot"), "b");
  });
}

function readingContract(test: RegisterTest): void {
  test("finds by prefix, at most as many as asked for", async (store) => {
    const ids = ["aaaa0000", "aaaa1111", "bbbb0000"].map((start) => `${start}-0000-4000-8000-000000000000`);
    await Promise.all(ids.map((id) => store.insert(someJob({ id }))));
    assert.deepEqual(store.findByPrefix("aaaa", 9).map(({ id }) => id).sort(), ids.slice(0, 2));
    assert.equal(store.findByPrefix("aaaa", 1).length, 1);
    assert.deepEqual(store.findByPrefix(ids[2]!, 2).map(({ id }) => id), [ids[2]]);
    assert.deepEqual(store.findByPrefix("cccc", 2), []);
  });

  test("lists newest first, page by page, without gap or repetition", async (store) => {
    const jobs = Array.from(
      { length: 25 },
      (_, index) => someJob({ createdAt: new Date(1000 + Math.floor(index / 3)) }),
    );
    await Promise.all(jobs.map((job) => store.insert(job)));
    const seen: Job[] = [];
    for (let token: string | undefined, page = 0; page < 10; page++) {
      const { jobs, nextPageToken } = store.list({ pageSize: 4, ...(token ? { pageToken: token } : {}) });
      seen.push(...jobs);
      token = nextPageToken;
      if (token === undefined) break;
    }
    assert.equal(new Set(seen.map(({ id }) => id)).size, 25);
    const times = seen.map(({ createdAt }) => createdAt.getTime());
    assert.deepEqual(times, [...times].sort((a, b) => b - a));
  });
}

function filterContract(test: RegisterTest): void {
  test("filters a list by state, owner and name, and refuses a bad page", async (store) => {
    const running = transition(someJob({ owner: "bob", name: "n" }), RUNNING);
    await store.insert(running);
    await store.insert(someJob());
    assert.deepEqual(store.list({ states: ["running", "stopping"] }).jobs, [running]);
    assert.deepEqual(store.list({ owner: "bob" }).jobs, [running]);
    assert.deepEqual(store.list({ name: "n" }).jobs, [running]);
    assert.deepEqual(store.list({ name: "n", owner: "ann" }).jobs, []);
    assert.equal(store.list({}).jobs.length, 2);
    for (const query of [{ pageSize: 0 }, { pageSize: 1001 }, { pageToken: "x' OR 1=1" }]) {
      assert.throws(() => store.list(query), isKind("invalid"));
    }
  });

  test("filters a list by labels, all of which must fit, and by the recurring job", async (store) => {
    const parent = newJobId();
    const both = someJob({ spec: { labels: { team: "x", "a/b": "1" } }, scheduledBy: parent });
    const one = someJob({ spec: { labels: { team: "x" } } });
    await Promise.all([store.insert(both), store.insert(one), store.insert(someJob())]);
    assert.equal(store.list({ labels: { team: "x" } }).jobs.length, 2);
    assert.deepEqual(store.list({ labels: { team: "x", "a/b": "1" } }).jobs, [both]);
    assert.deepEqual(store.list({ labels: { team: "y" } }).jobs, []);
    assert.deepEqual(store.list({ scheduledBy: parent }).jobs, [both]);
    await store.delete([both.id]);
    assert.deepEqual(store.list({ labels: { team: "x" } }).jobs, [one]);
  });
}

function endedContract(test: RegisterTest): void {
  test("tells live jobs from ended ones, and forgets what is deleted", async (store) => {
    const live = transition(someJob(), RUNNING);
    const done = transition(transition(someJob(), RUNNING), DONE);
    await Promise.all([store.insert(live), store.insert(done)]);
    assert.deepEqual(store.live(), [live]);
    await store.delete([live.id]);
    await store.delete([live.id, newJobId()]);
    assert.deepEqual(store.live(), []);
    assert.equal(store.get(live.id), undefined);
  });

  test("gives live jobs oldest first", async (store) => {
    const jobs = [3, 1, 2].map((at) => someJob({ createdAt: new Date(at) }));
    await Promise.all(jobs.map((job) => store.insert(job)));
    assert.deepEqual(store.live().map(({ createdAt }) => createdAt.getTime()), [1, 2, 3]);
  });

  test("gives ended jobs in the order of their ends, with what their output takes", async (store) => {
    const ended = async (at: number, logBytes: number) => {
      const job = transition(someJob(), RUNNING);
      await store.insert(job);
      const end = transition(job, { ...FAILED, endedAt: new Date(at), usage: { logBytes } });
      await store.replace(end);
      return end.id;
    };
    const late = await ended(2000, 10);
    const early = await ended(1000, 0);
    await store.insert(someJob());
    const fields = { attempts: 1 };
    const [first, second] = [{ id: early, endedMs: 1000, logBytes: 0 }, { id: late, endedMs: 2000, logBytes: 10 }];
    assert.deepEqual(store.oldestEnded(9), [{ ...first, ...fields }, { ...second, ...fields }]);
    assert.deepEqual(store.oldestEnded(1), [{ ...first, ...fields }]);
    assert.deepEqual(store.oldestEnded(9, { withLogs: true }), [{ ...second, ...fields }]);
    assert.deepEqual(store.endedTotals(), { jobs: 2, logBytes: 10 });
    await store.noteLogBytes(late, 4);
    await store.noteLogBytes(newJobId(), 4);
    assert.deepEqual(store.endedTotals(), { jobs: 2, logBytes: 4 });
  });
}
