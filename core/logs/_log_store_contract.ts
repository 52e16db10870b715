/** What every LogStore must do, as tests to run through one. */
import assert from "node:assert/strict";
import { EngineError } from "../errors.ts";
import { newJobId } from "../values/job_id.ts";
import { EXIT, output, textOf } from "./_journal_fixture.ts";
import { encodeFrame, type FrameBody } from "./frame.ts";
import type { JournalBatch, RunLogQuery, WriterEnd } from "./log.ts";
import type { LogStore, RunId } from "./log_store.ts";

/** A store that keeps nothing yet. */
export interface LogStoreLab extends Disposable {
  readonly store: LogStore;
  /** The same store as a new process would open it. */
  reopen(): LogStore;
}

const ENDED: WriterEnd = { value: true, onEnd: () => ({ [Symbol.dispose]() {} }) };

function fails(kind: string) {
  return (error: unknown) => error instanceof EngineError && error.kind === kind;
}

/** Appends frames as init does. */
function append(path: string, ...bodies: readonly FrameBody[]): void {
  let offset = Deno.statSync(path).size;
  for (const [sequence, body] of bodies.entries()) {
    const bytes = encodeFrame(body, { offset, timeNs: 10n ** 18n + BigInt(sequence), sequence });
    Deno.writeFileSync(path, bytes, { append: true });
    offset += bytes.length;
  }
}

/** A run with this text as its output, and an end. */
function run(store: LogStore, text: string, attempt = 1, id = newJobId()): RunId {
  const path = store.create({ id, attempt });
  const parts = text.match(/[^]{1,1000}/g) ?? [];
  append(path, { type: "started" }, ...parts.map((part) => output(part)), EXIT);
  return { id, attempt };
}

async function read(store: LogStore, run: RunId, query: Partial<RunLogQuery> = {}): Promise<JournalBatch[]> {
  return await Array.fromAsync(store.read(run, { signal: new AbortController().signal, ...query }, ENDED));
}

function names(runs: readonly RunId[]): string[] {
  return runs.map(({ id, attempt }) => `${id} ${attempt}`).sort();
}

type Test = (lab: LogStoreLab) => Promise<void>;

const KEEPING: Readonly<Record<string, Test>> = {
  "keeps the output of each attempt apart": async ({ store }) => {
    const { id } = run(store, "first");
    run(store, "second", 2, id);
    run(store, "twelfth", 12, id);
    for (const [attempt, text] of [[1, "first"], [2, "second"], [12, "twelfth"]] as const) {
      assert.equal(textOf(await read(store, { id, attempt })), text);
      assert.equal((await store.outcome({ id, attempt })).kind, "exited");
    }
    assert.equal(store.exists({ id, attempt: 3 }), false);
  },
  "refuses to create a run twice, also when it is sealed": async ({ store }) => {
    const sealed = run(store, "x".repeat(200_000));
    assert.throws(() => store.create(sealed), fails("conflict"));
    await store.seal(sealed);
    assert.throws(() => store.create(sealed), fails("conflict"));
    assert.equal((await store.outcome(sealed)).kind, "exited");
  },
  "knows nothing of a run that was not created": async ({ store }) => {
    const unknown = { id: newJobId(), attempt: 1 };
    assert.equal(store.exists(unknown), false);
    await assert.rejects(store.outcome(unknown), fails("not_found"));
    await assert.rejects(read(store, unknown), fails("not_found"));
    await assert.rejects(store.seal(unknown), fails("not_found"));
    await store.remove(unknown.id, 3);
  },
  "refuses a wrong offset": async ({ store }) => {
    const known = run(store, "some text");
    await assert.rejects(read(store, known, { offset: 99 }), fails("invalid"));
  },
  "removes all attempts of a job and nothing else": async ({ store }) => {
    const { id } = run(store, "1");
    run(store, "x".repeat(200_000), 2, id);
    const other = run(store, "other");
    await store.seal({ id, attempt: 2 });
    await store.remove(id, 2);
    for (const attempt of [1, 2]) assert.equal(store.exists({ id, attempt }), false);
    await store.remove(id, 2);
    assert.deepEqual(names(await Array.fromAsync(store.list())), names([other]));
  },
  "lists every run once, sealed or not, also after it is opened anew": async ({ store, reopen }) => {
    assert.deepEqual(await Array.fromAsync(store.list()), []);
    const runs = Array.from({ length: 30 }, (_, i) => run(store, "x".repeat(i * 10_000), 1 + i % 3));
    for (const one of runs.slice(0, 20)) await store.seal(one);
    assert.deepEqual(names(await Array.fromAsync(store.list())), names(runs));
    assert.deepEqual(names(await Array.fromAsync(reopen().list())), names(runs));
  },
};

const SEALING: Readonly<Record<string, Test>> = {
  "keeps every offset when it seals, and seals twice": async ({ store, reopen }) => {
    const text = Array.from({ length: 60_000 }, (_, i) => `line ${i}\n`).join("");
    const sealed = run(store, text);
    const before = await read(store, sealed);
    const outcome = await store.outcome(sealed);
    const bytes = await store.seal(sealed);
    assert(bytes > 0 && bytes < text.length * 1.2, `${bytes} bytes`);
    assert.equal(await store.seal(sealed), bytes);
    for (const one of [store, reopen()]) {
      assert.equal(one.exists(sealed), true);
      assert.deepEqual(await one.outcome(sealed), outcome);
      assert.deepEqual(await one.outcome(sealed, { trustTail: true }), outcome);
      assert.equal(textOf(await read(one, sealed)), text);
      const offset = before[0]!.nextOffset;
      assert.equal(textOf(await read(one, sealed, { offset })), textOf(before.slice(1)));
    }
  },
  "lets a reader go on that began before the sealing": async ({ store }) => {
    const text = "0123456789".repeat(60_000);
    const sealed = run(store, text);
    const batches: JournalBatch[] = [];
    const signal = new AbortController().signal;
    for await (const batch of store.read(sealed, { signal, follow: true }, ENDED)) {
      if (batches.length === 0) await store.seal(sealed);
      batches.push(batch);
    }
    assert.equal(textOf(batches), text);
    assert.equal(batches.at(-1)?.end, true);
  },
  "removes a run that is being sealed": async ({ store }) => {
    const sealed = run(store, "0123456789".repeat(100_000));
    const sealing = store.seal(sealed).catch((error) => assert(fails("not_found")(error), error));
    await store.remove(sealed.id, 1);
    await sealing;
    assert.equal(store.exists(sealed), false);
    assert.deepEqual(await Array.fromAsync(store.list()), []);
  },
};

/** Registers the tests. @param open makes a lab with an empty store */
export function testLogStore(name: string, open: () => LogStoreLab): void {
  for (const [what, test] of Object.entries({ ...KEEPING, ...SEALING })) {
    Deno.test(`${name} ${what}`, async () => {
      using lab = open();
      await test(lab);
    });
  }
}
