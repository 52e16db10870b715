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
  assert.throws(() => queue.checkFits(cpu.spec.limits, "eve"), isKind("precondition"));
  assert.throws(() => queue.checkFits(job("x", 0, 101).spec.limits, "x"), isKind("precondition"));
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

const DISK = { standardBytes: 10 * MIB, all: 30 * MIB, of: new Map([["bob", 100 * MIB]]) };

function diskJob(owner: string, diskMiB?: number, priority = 0): Job {
  return someJob({ owner, spec: { priority, limits: diskMiB === undefined ? {} : { diskBytes: diskMiB * MIB } } });
}

Deno.test("AdmissionQueue keeps to the disk that an owner's running jobs may have, and says what is free", () => {
  const queue = new AdmissionQueue({ ...LIMITS, maxRunning: 99, disk: DISK });
  // 10 MiB each, as the sandbox gives them, though they name none.
  const jobs = [1, 2, 3].map(() => diskJob("ann"));
  assert.deepEqual(jobs.map((job) => queue.tryAdmit(job)), [true, true, true]);
  const late = diskJob("ann", 1);
  assert.equal(queue.tryAdmit(late), false);
  queue.add(late);
  assert.equal(
    queue.reason(late.id),
    "disk of its user: it wants 1 MiB, 0 B of 30 MiB are free for the jobs of 'ann'",
  );
  assert.equal(queue.next(), undefined);
  const bob = diskJob("bob", 90);
  assert(queue.tryAdmit(bob), "another owner has room of its own and waits for nobody");
  queue.release(jobs[0]!.id);
  assert.equal(take(queue, [late]), late);
});

Deno.test("AdmissionQueue lets an owner's small jobs not pass a large one that waits for that owner's disk", () => {
  const queue = new AdmissionQueue({ ...LIMITS, maxRunning: 99, disk: DISK });
  const first = diskJob("ann", 20);
  assert(queue.tryAdmit(first));
  const [large, small] = [diskJob("ann", 30, 5), diskJob("ann", 1)];
  queue.add(large);
  assert.equal(queue.tryAdmit(small), false);
  queue.add(small);
  assert.equal(queue.next(), undefined);
  queue.release(first.id);
  assert.equal(take(queue, [large, small]), large);
  assert.equal(queue.next(), undefined);
  queue.release(large.id);
  assert.equal(take(queue, [large, small]), small);
});

Deno.test("AdmissionQueue refuses a job that its owner's disk can never hold, naming the key", () => {
  const queue = new AdmissionQueue({ ...LIMITS, disk: DISK });
  const fits = (owner: string, diskMiB?: number) => queue.checkFits(diskJob(owner, diskMiB).spec.limits, owner);
  fits("ann", 30);
  fits("bob", 100);
  assert.throws(() => fits("ann", 31), {
    kind: "precondition",
    message: "Cannot run a job with 31 MiB of disk: all jobs of 'ann' together get 30 MiB (limits.user.maxDisk); " +
      "ask for less with --max-disk",
  });
  assert.throws(() => fits("bob", 101), /limits\.users\.bob\.total\.maxDisk/);
  const tight = new AdmissionQueue({ ...LIMITS, disk: { standardBytes: 40 * MIB, of: new Map([["ann", MIB]]) } });
  assert.throws(() => tight.checkFits({}, "ann"), /40 MiB of disk, as jobs have: .*--max-disk/);
  tight.checkFits({ diskBytes: 500 * MIB }, "bob");
});

Deno.test("AdmissionQueue counts jobs that wait for their time, and those being stored, to what an owner may have waiting", () => {
  const scheduled = new Map([["ann", 2]]);
  const limits = { ...LIMITS, maxWaitingPerOwner: 3, maxWaitingOf: new Map([["bob", 1]]) };
  const queue = new AdmissionQueue(limits, (owner) => scheduled.get(owner) ?? 0);
  const place = queue.reserve("ann", "time");
  assert.throws(() => queue.reserve("ann", "turn"), isKind("exhausted"));
  assert.throws(() => queue.reserve("ann", "time"), {
    message: "Cannot queue another job of 'ann': 3 wait already, as many as may; try again later",
  });
  place[Symbol.dispose]();
  queue.add(job("ann"));
  assert.throws(() => queue.checkRoom("ann"), isKind("exhausted"));
  scheduled.delete("ann");
  queue.checkRoom("ann");
  queue.add(job("bob"));
  assert.throws(() => queue.reserve("bob", "time"), isKind("exhausted"));
});

Deno.test("AdmissionQueue never goes over a bound, loses no job and counts right, whatever comes", () => {
  const action = fc.tuple(fc.constantFrom("submit", "next", "end", "cancel"), fc.nat(200));
  fc.assert(fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
    const queue = new AdmissionQueue({
      maxRunning: 4,
      memoryBytes: 100 * MIB,
      maxWaiting: 999,
      maxWaitingPerOwner: 999,
      disk: { standardBytes: 0, all: 50 * MIB, of: new Map([["u0", 99 * MIB]]) },
    });
    const [waiting, running] = [new Map<string, Job>(), new Map<string, Job>()];
    const pick = (map: Map<string, Job>, number: number) => [...map.values()][number % Math.max(1, map.size)];
    for (const [kind, number] of actions) {
      if (kind === "submit") {
        const owner = `u${number % 3}`;
        const limits = { memoryBytes: (number % 100) * MIB, diskBytes: (number % 50) * MIB };
        const made = someJob({ owner, spec: { priority: number % 2, limits } });
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
      for (const [owner, most] of [["u0", 99], ["u1", 50], ["u2", 50]] as const) {
        const own = [...running.values()].filter((job) => job.owner === owner);
        assert(own.reduce((sum, { spec }) => sum + (spec.limits.diskBytes ?? 0), 0) <= most * MIB);
      }
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
