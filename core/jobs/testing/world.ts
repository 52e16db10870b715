/** An engine on a simulated host, that can be crashed, and what must hold of its jobs whatever happens. */
import assert from "node:assert/strict";
import { EngineError } from "../../errors.ts";
import type { Clock } from "../../schedule/clock.ts";
import type { JobStore } from "../../state/store.ts";
import { isTerminal, type Job, type JobStatus } from "../job.ts";
import { JobManager } from "../manager.ts";
import type { JobSpecInput } from "../spec.ts";
import { SimClock } from "./sim_clock.ts";
import { SimHost } from "./sim_host.ts";
import { SimSecrets } from "./sim_secrets.ts";
import { SimStore, turns } from "./sim_store.ts";

export const MAX_RUNNING = 3;
const START_MS = Date.UTC(2026, 0, 1);
const SETTLE_TURNS = 60;

export class World {
  readonly clock = new SimClock(START_MS);
  readonly host = new SimHost(this.clock);
  readonly store = new SimStore();
  /** Jobs that were acknowledged and not deleted. */
  readonly acknowledged = new Map<string, JobSpecInput>();
  readonly #ended = new Map<string, JobStatus>();
  readonly #byKey = new Map<string, string>();
  readonly #deleted = new Set<string>();
  readonly stopped = new Set<string>();
  readonly canceled = new Set<string>();
  #alive = { value: false };
  #manager: JobManager | undefined;

  static async open(): Promise<World> {
    const world = new World();
    await world.start();
    return world;
  }

  get manager(): JobManager {
    assert(this.#manager);
    return this.#manager;
  }

  async start(): Promise<void> {
    const life = { value: true };
    this.#alive = life;
    const { host, clock } = this;
    const parts = {
      config: {
        limits: { default: {}, ceiling: {}, builtIn: {}, users: new Map() },
        queue: { maxRunning: MAX_RUNNING, maxWaiting: 1000, maxWaitingPerOwner: 1000 },
        retention: {},
        stopGraceMs: 1000,
      },
      store: mortal(this.store, life),
      logs: host.logs(),
      runner: host.runner(() => life.value),
      clock: mortalClock(clock, life),
      secrets: new SimSecrets(),
      bootId: host.bootId,
      checkSpace: () => {
        if (host.diskFull) throw new EngineError("exhausted", "Cannot take a new job: disk full");
      },
      onError: (what: string, error: unknown) => {
        if (life.value && !(error instanceof EngineError)) this.failure ??= new Error(what, { cause: error });
      },
    };
    this.#manager = await JobManager.open(parts, () => Promise.resolve());
    await this.settle();
  }

  /** kill -9 of the server. */
  async crash(): Promise<void> {
    this.#alive.value = false;
    this.store.crash();
    this.clock.reset();
    for (const run of this.host.running.values()) run.listeners.clear();
    await turns(5);
  }

  async settle(): Promise<void> {
    await turns(SETTLE_TURNS);
  }

  /** Submits without waiting; what is acknowledged is remembered. */
  submit(input: JobSpecInput, key?: string): void {
    const options = key === undefined ? {} : { idempotencyKey: key };
    this.#watch(this.manager.run(input, "ann", options), (job) => {
      // Answered with a job that was deleted meanwhile.
      if (this.#deleted.has(job.id)) return;
      this.acknowledged.set(job.id, input);
      if (key === undefined) return;
      assert.equal(this.#byKey.get(key) ?? job.id, job.id, "one key, one job");
      this.#byKey.set(key, job.id);
    });
  }

  stop(id: string): void {
    this.stopped.add(id);
    this.#watch(this.manager.stop(id), (job) => assert(isTerminal(job.status.state)));
  }

  cancel(id: string): void {
    this.canceled.add(id);
    this.#watch(this.manager.cancel(id), (job) => assert.equal(job.status.state, "canceled"));
  }

  delete(id: string): void {
    const job = this.store.get(id);
    const ended = job !== undefined && isTerminal(job.status.state);
    // From now on it may be there or not.
    if (ended) {
      this.#deleted.add(id);
      this.acknowledged.delete(id);
      this.#ended.delete(id);
      for (const [key, made] of this.#byKey) if (made === id) this.#byKey.delete(key);
    }
    this.#watch(this.manager.delete(id), () => assert(ended, "only ended jobs are deleted"));
  }

  #watch<T>(promise: Promise<T>, then: (value: T) => void): void {
    promise.then(then).catch((error: unknown) => {
      if (!(error instanceof EngineError)) this.failure ??= error;
    });
  }

  failure: unknown;

  /** What must hold at every moment. */
  check(): void {
    if (this.failure !== undefined) throw this.failure;
    assert.equal(new Set(this.host.executions).size, this.host.executions.length, "no attempt runs twice");
    assert(this.host.mostRunning <= MAX_RUNNING, "no more run at once than may");
    if (this.store.full) return;
    for (const id of this.acknowledged.keys()) assert(this.store.get(id), `the accepted job ${id} is lost`);
    for (const [id, status] of this.#ended) assert.deepEqual(this.store.get(id)?.status, status, "an end is final");
  }

  /** Notes ends that are durable, and compares them with what happened. */
  noteEnds(): void {
    for (const id of this.acknowledged.keys()) {
      const job = this.store.get(id);
      if (!job || !isTerminal(job.status.state) || this.#ended.has(id)) continue;
      this.#ended.set(id, job.status);
      this.#checkEnd(job);
    }
  }

  #checkEnd(job: Job): void {
    const { status, spec, attempt } = job;
    const truth = this.host.outcomes.get(`${job.id}.${attempt}`);
    assert(attempt <= (spec.retry?.limit ?? 0) + 1, "no more attempts than allowed");
    if ("exit" in status) assert.deepEqual(status.exit, truth?.exit, "the end is the one that happened");
    if (status.state === "canceled") {
      assert(this.canceled.has(job.id) || this.stopped.has(job.id), "nobody canceled it");
      assert.equal(truth, undefined, "a canceled attempt never ran");
    }
    if (status.state === "stopped") assert(this.stopped.has(job.id), "nobody stopped it");
    if (status.state === "completed") assert.deepEqual(truth?.exit, { kind: "exited", code: 0 });
    for (const [index, end] of job.earlier.entries()) {
      assert.deepEqual(end.exit, this.host.outcomes.get(`${job.id}.${index + 1}`)?.exit);
    }
  }

  /** Lets everything come to its end, and checks that it does. */
  async finish(): Promise<void> {
    this.host.diskFull = this.store.full = false;
    await this.crash();
    await this.start();
    for (const job of this.store.live()) if (job.spec.schedule?.kind === "cron") this.cancel(job.id);
    for (let round = 0; round < 200 && this.store.live().length > 0; round++) {
      for (const run of [...this.host.running.values()]) this.host.end(run, { kind: "exited", code: 0 });
      this.clock.advance(3_600_000);
      await this.settle();
      this.noteEnds();
      this.check();
    }
    assert.deepEqual(this.store.live().map(({ id, status }) => [id, status]), [], "every job ends");
    assert.equal(this.host.running.size, 0);
    await this.manager.close();
  }
}

/** The store as an engine sees it: once that is dead, it gets no answer and changes nothing. */
function mortal(store: SimStore, life: { readonly value: boolean }): JobStore {
  const never = new Promise<never>(() => {});
  const guarded = <A extends unknown[]>(write: (...args: A) => Promise<void>) => async (...args: A): Promise<void> => {
    if (!life.value) return await never;
    const written = write(...args);
    try {
      await written;
    } finally {
      if (!life.value) await never;
    }
  };
  return {
    insert: guarded((job) => store.insert(job)),
    replace: guarded((job, options) => store.replace(job, options)),
    write: guarded((changes) => store.write(changes)),
    delete: guarded((ids) => store.delete(ids)),
    noteLogBytes: guarded((id, bytes) => store.noteLogBytes(id, bytes)),
    setNote: guarded((key, text) => store.setNote(key, text)),
    get: store.get,
    findByKey: store.findByKey,
    findByPrefix: store.findByPrefix,
    list: store.list,
    live: store.live,
    endedTotals: store.endedTotals,
    oldestEnded: store.oldestEnded,
    getNote: store.getNote,
    close: store.close,
  };
}

function mortalClock(clock: SimClock, life: { readonly value: boolean }): Clock {
  return {
    now: () => clock.now(),
    setAlarm: (at, callback) => life.value && clock.setAlarm(at, callback),
    after: (ms, callback) => life.value ? clock.after(ms, callback) : { [Symbol.dispose]() {} },
  };
}
