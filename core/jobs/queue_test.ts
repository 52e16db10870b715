import assert from "node:assert/strict";
import fc from "fast-check";
import { EngineError } from "../errors.ts";
import { someJob } from "./_job_fixture.ts";
import type { Job } from "./job.ts";
import { AdmissionQueue, type QueueLimits } from "./queue.ts";

const LIMITS: QueueLimits = { maxRunning: 2, maxWaiting: 100, maxWaitingPerOwner: 10 };
const MIB = 1024 * 1024;

function job(owner = "ann", priority = 0, memoryMiB?: number, cpuPercent?: number): Job {
  const limits = {
    ...(memoryMiB === undefined ? {} : { memoryBytes: memoryMiB * MIB }),
    ...(cpuPercent === undefined ? {} : { cpuPercent }),
  };
  return someJob({ owner, spec: { priority, limits } });
}

/** Takes the next job as the dispatcher does. */
function take(queue: AdmissionQueue, jobs: readonly Job[]): Job | undefined {
  const id = queue.next();
  const found = jobs.find((job) => job.id === id);
  if (found) queue.occupy(found);
  return found;
}

function isKind(kind: string) {
  return (error: unknown) => error instanceof EngineError && error.kind === kind;
}

Deno.test("AdmissionQueue admits as many as may run, then lets wait, and says why", () => {
  const queue = new AdmissionQueue(LIMITS);
  const [a, b, c] = [job(), job(), job()];
  assert.deepEqual([queue.tryAdmit(a), queue.tryAdmit(b), queue.tryAdmit(c)], [true, true, false]);
  queue.add(c);
  assert.match(queue.reason(c.id)!, /a free place: 2 jobs run/);
  assert.equal(queue.next(), undefined);
  queue.release(a.id);
  assert.match(queue.reason(c.id)!, /its turn/);
  assert.equal(take(queue, [c]), c);
  assert.equal(queue.reason(c.id), undefined);
});

Deno.test("AdmissionQueue lets no new job pass those that wait", () => {
  const queue = new AdmissionQueue(LIMITS);
  queue.add(job());
  assert.equal(queue.tryAdmit(job()), false);
});

Deno.test("AdmissionQueue takes higher priorities first, and one owner's jobs in their order", () => {
  const queue = new AdmissionQueue({ ...LIMITS, maxRunning: 9 });
  const jobs = [job("ann", 0), job("ann", 5), job("ann", 0), job("ann", -3), job("ann", 5)];
  jobs.forEach((job) => queue.add(job));
  const order = jobs.map(() => jobs.indexOf(take(queue, jobs)!));
  assert.deepEqual(order, [1, 4, 0, 2, 3]);
});

Deno.test("AdmissionQueue takes turns between owners: ten thousand jobs of one don't hold up another's", () => {
  const queue = new AdmissionQueue({ ...LIMITS, maxRunning: 4, maxWaiting: 20_000, maxWaitingPerOwner: 20_000 });
  const many = Array.from({ length: 10_000 }, () => job("ann"));
  many.forEach((job) => queue.add(job));
  const bobs = [job("bob"), job("bob")];
  bobs.forEach((job) => queue.add(job));
  const owners = [1, 2, 3, 4].map(() => take(queue, [...many, ...bobs])?.owner);
  assert.deepEqual(owners.sort(), ["ann", "ann", "bob", "bob"]);
});

Deno.test("AdmissionQueue takes turns between owners also where one job runs at a time", () => {
  const queue = new AdmissionQueue({ ...LIMITS, maxRunning: 1 });
  const jobs = ["ann", "ann", "ann", "bob", "bob"].map((owner) => job(owner));
  jobs.forEach((job) => queue.add(job));
  const owners = jobs.map(() => {
    const taken = take(queue, jobs)!;
    queue.release(taken.id);
    return taken.owner;
  });
  assert.deepEqual(owners, ["ann", "bob", "ann", "bob", "ann"]);
});

Deno.test("AdmissionQueue keeps to the budgets of CPU and memory, and says what is free", () => {
  const queue = new AdmissionQueue({ ...LIMITS, maxRunning: 9, cpuPercent: 150, memoryBytes: 100 * MIB });
  const [big, small, cpu] = [job("ann", 0, 80), job("bob", 0, 30), job("eve", 0, 1, 200)];
  assert.equal(queue.tryAdmit(big), true);
  assert.equal(queue.tryAdmit(small), false);
  queue.add(small);
  assert.match(queue.reason(small.id)!, /memory: it wants 30 MiB, 20 MiB of 100 MiB are free/);
  assert.throws(() => queue.checkFits(cpu.spec.limits), isKind("precondition"));
  assert.throws(() => queue.checkFits(job("x", 0, 101).spec.limits), isKind("precondition"));
  queue.release(big.id);
  assert.equal(take(queue, [small]), small);
});

Deno.test("AdmissionQueue lets small jobs pass one that does not fit, but only so often", () => {
  const queue = new AdmissionQueue({ ...LIMITS, maxRunning: 99, memoryBytes: 100 * MIB, maxWaitingPerOwner: 99 });
  const first = job("x", 0, 50);
  assert(queue.tryAdmit(first));
  const big = job("ann", 0, 80);
  queue.add(big);
  const smalls = Array.from({ length: 60 }, () => job("bob", 0, 1));
  smalls.forEach((job) => queue.add(job));
  let passed = 0;
  for (let next = take(queue, smalls); next; next = take(queue, smalls)) {
    passed++;
    queue.release(next.id);
  }
  assert.equal(passed, 32);
  queue.release(first.id);
  assert.equal(take(queue, [big]), big);
});

Deno.test("AdmissionQueue keeps to what each owner may run at once, and holds up nobody else for it", () => {
  const queue = new AdmissionQueue({
    ...LIMITS,
    maxRunning: 99,
    maxRunningPerOwner: 1,
    maxRunningOf: new Map([["bob", 2]]),
  });
  const [first, second] = [job("ann", 9), job("ann", 9)];
  assert(queue.tryAdmit(first));
  assert.equal(queue.tryAdmit(second), false);
  queue.add(second);
  assert.equal(queue.reason(second.id), "a free place of its user: 1 jobs of 'ann' run, as many as may");
  // Far more often than one may be overtaken that does not fit.
  for (let round = 0; round < 100; round++) {
    const bobs = [job("bob"), job("bob")];
    assert(bobs.every((job) => queue.tryAdmit(job)));
    const third = job("bob");
    queue.add(third);
    assert.equal(queue.next(), undefined);
    queue.release(bobs[0]!.id);
    assert.equal(take(queue, [third]), third);
    for (const { id } of [bobs[1]!, third]) queue.release(id);
  }
  queue.release(first.id);
  assert.equal(take(queue, [second]), second);
});

Deno.test("AdmissionQueue bounds how many wait, of all and of one owner", () => {
  const queue = new AdmissionQueue({ ...LIMITS, maxWaiting: 3, maxWaitingPerOwner: 2 });
  queue.add(job("ann"));
  queue.checkRoom("ann");
  queue.add(job("ann"));
  assert.throws(() => queue.checkRoom("ann"), isKind("exhausted"));
  queue.checkRoom("bob");
  const last = job("bob");
  queue.add(last);
  assert.throws(() => queue.checkRoom("eve"), isKind("exhausted"));
  assert.equal(queue.remove(last.id), true);
  assert.equal(queue.remove(last.id), false);
  queue.checkRoom("eve");
});

Deno.test("AdmissionQueue never goes over a bound, loses no job and counts right, whatever comes", () => {
  const action = fc.tuple(fc.constantFrom("submit", "next", "end", "cancel"), fc.nat(200));
  fc.assert(fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
    const queue = new AdmissionQueue({
      maxRunning: 4,
      memoryBytes: 100 * MIB,
      maxWaiting: 999,
      maxWaitingPerOwner: 999,
    });
    const [waiting, running] = [new Map<string, Job>(), new Map<string, Job>()];
    const pick = (map: Map<string, Job>, number: number) => [...map.values()][number % Math.max(1, map.size)];
    for (const [kind, number] of actions) {
      if (kind === "submit") {
        const made = job(`u${number % 3}`, number % 2, number % 100);
        if (queue.tryAdmit(made)) running.set(made.id, made);
        else {
          queue.add(made);
          waiting.set(made.id, made);
        }
      } else if (kind === "next") {
        const next = take(queue, [...waiting.values()]);
        if (next) {
          waiting.delete(next.id);
          running.set(next.id, next);
        }
      } else {
        const map = kind === "end" ? running : waiting;
        const chosen = pick(map, number);
        if (!chosen) continue;
        map.delete(chosen.id);
        if (kind === "end") queue.release(chosen.id);
        else assert.equal(queue.remove(chosen.id), true);
      }
      const used = [...running.values()].reduce((sum, { spec }) => sum + (spec.limits.memoryBytes ?? 0), 0);
      assert(running.size <= 4 && used <= 100 * MIB);
      assert.deepEqual([queue.waiting, queue.running], [waiting.size, running.size]);
    }
    for (const { id } of running.values()) queue.release(id);
    while (waiting.size > 0) {
      const next = take(queue, [...waiting.values()]);
      assert(next, "a job that fits starts");
      waiting.delete(next.id);
      queue.release(next.id);
    }
  }));
});
