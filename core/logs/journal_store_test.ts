import assert from "node:assert/strict";
import { requires } from "../../tests/harness/requires.ts";
import { EngineError } from "../errors.ts";
import { newJobId } from "../values/job_id.ts";
import { encodeFrame } from "./frame.ts";
import { JOURNAL_HEADER_SIZE } from "./journal_header.ts";
import { openJournalStore } from "./journal_store.ts";
import { type LogStoreLab, testLogStore } from "./_log_store_contract.ts";
import { SpareJournals } from "./spare_journals.ts";

const watcher = { watch: () => ({ [Symbol.dispose]() {} }) };

function openLab(compressMinBytes = 64 * 1024) {
  const home = Deno.makeTempDirSync({ prefix: "joblet-store-" });
  const folder = `${home}/logs`;
  const spares = new SpareJournals(`${home}/spares`);
  for (let i = 0; i < 3; i++) spares.refill();
  const reopen = () =>
    openJournalStore({ folder, spares, watcher, compressMinBytes, flush: () => Promise.resolve(), flushDelayMs: 0 });
  const lab = { folder, reopen, store: reopen(), [Symbol.dispose]: () => Deno.removeSync(home, { recursive: true }) };
  return lab satisfies LogStoreLab;
}

testLogStore("JournalStore", () => openLab());

Deno.test("JournalStore names the first attempt's file after the job, others after the attempt too", () => {
  using lab = openLab();
  const id = newJobId();
  assert.equal(lab.store.create({ id, attempt: 1 }), `${lab.folder}/${id}.journal`);
  assert.equal(lab.store.create({ id, attempt: 7 }), `${lab.folder}/${id}.7.journal`);
});

/** A run whose output is this, and its journal. */
function writeRun(lab: ReturnType<typeof openLab>, data: Uint8Array<ArrayBuffer>) {
  const run = { id: newJobId(), attempt: 1 };
  const path = lab.store.create(run);
  let offset = JOURNAL_HEADER_SIZE;
  for (let at = 0; at < data.length; at += 50_000) {
    const body = { type: "output", stream: "stdout", data: data.slice(at, at + 50_000) } as const;
    const bytes = encodeFrame(body, { offset, timeNs: 1n, sequence: 0 });
    Deno.writeFileSync(path, bytes, { append: true });
    offset += bytes.length;
  }
  return { run, path };
}

function filesOf(lab: ReturnType<typeof openLab>): string[] {
  return [...Deno.readDirSync(lab.folder)].flatMap(({ name }) => {
    return name === ".sealing" ? [...Deno.readDirSync(`${lab.folder}/.sealing`)].map(() => "temporary") : [name];
  }).sort();
}

Deno.test("JournalStore.seal compresses what is over the limit, and only if that makes it smaller", async () => {
  using lab = openLab();
  const small = writeRun(lab, new Uint8Array(60_000).fill(65));
  const text = writeRun(lab, new Uint8Array(600_000).fill(65));
  const random = writeRun(lab, crypto.getRandomValues(new Uint8Array(65_536)));
  assert(await lab.store.seal(small.run) >= 60_000);
  assert(await lab.store.seal(text.run) < 60_000);
  assert(await lab.store.seal(random.run) >= 65_536);
  assert.deepEqual(
    filesOf(lab),
    [`${small.run.id}.journal`, `${text.run.id}.journal.z`, `${random.run.id}.journal`].sort(),
  );
});

Deno.test("JournalStore is the same whichever form of a journal a crash has left, and forgets what was half made", async () => {
  using lab = openLab();
  const { run, path } = writeRun(lab, new Uint8Array(300_000).fill(65));
  const original = Deno.readFileSync(path);
  await lab.store.seal(run);
  Deno.writeFileSync(path, original);
  Deno.writeTextFileSync(`${lab.folder}/.sealing/0`, "half");
  const store = lab.reopen();
  assert.deepEqual(filesOf(lab), [`${run.id}.journal`, `${run.id}.journal.z`]);
  assert.deepEqual(await Array.fromAsync(store.list()), [run]);
  assert.equal((await store.outcome(run)).kind, "open");
  assert(await store.seal(run) < 60_000);
  assert.deepEqual(filesOf(lab), [`${run.id}.journal.z`]);
  Deno.writeFileSync(path, original);
  await store.remove(run.id, 1);
  assert.deepEqual(filesOf(lab), []);
});

Deno.test("JournalStore.seal called twice at once seals once", async () => {
  using lab = openLab();
  const { run } = writeRun(lab, new Uint8Array(900_000).fill(65));
  const [a, b] = await Promise.all([lab.store.seal(run), lab.store.seal(run)]);
  assert.equal(a, b);
  assert.deepEqual(filesOf(lab), [`${run.id}.journal.z`]);
});

Deno.test("JournalStore.list sees each run once while others are sealed", async () => {
  using lab = openLab();
  const runs = Array.from({ length: 12 }, () => writeRun(lab, new Uint8Array(200_000).fill(65)).run);
  const sealing = Promise.all(runs.map((run) => lab.store.seal(run)));
  for (let i = 0; i < 20; i++) {
    const listed = (await Array.fromAsync(lab.store.list())).map(({ id }) => id);
    assert.deepEqual(listed.sort(), runs.map(({ id }) => id).sort());
  }
  await sealing;
});

Deno.test({
  ...requires("root"),
  name: "JournalStore on a full disk leaves a journal as it was when it is sealed, and creates none",
  async fn() {
    const home = Deno.makeTempDirSync({ prefix: "joblet-store-" });
    const run = (command: string, ...args: string[]) => new Deno.Command(command, { args }).outputSync();
    assert(run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", home).success);
    try {
      const spares = new SpareJournals(`${home}/spares`);
      const store = openJournalStore({
        folder: `${home}/logs`,
        spares,
        watcher,
        compressMinBytes: 1000,
        flush: () => Promise.resolve(),
        flushDelayMs: 0,
      });
      const lab = { folder: `${home}/logs`, store, reopen: () => store, [Symbol.dispose]() {} };
      // Four bits a byte: half of its size when compressed, for which there is no room.
      const random = Array.from({ length: 11 }, () => crypto.getRandomValues(new Uint8Array(65_536)));
      const nibbles = new Uint8Array(random.flatMap((part) => [...part.map((byte) => byte & 15)]));
      const one = writeRun(lab, nibbles);
      const before = Deno.readFileSync(one.path);
      assert(await store.seal(one.run) >= nibbles.length);
      assert.deepEqual(Deno.readFileSync(one.path), before);
      assert.deepEqual(filesOf(lab), [`${one.run.id}.journal`]);
      Deno.writeFileSync(`${home}/rest`, new Uint8Array(0));
      assert.throws(() => Deno.writeFileSync(`${home}/rest`, new Uint8Array(1 << 20)), /space/);
      const create = () => store.create({ id: newJobId(), attempt: 1 });
      assert.throws(create, (error) => error instanceof EngineError && error.kind === "exhausted");
    } finally {
      assert(run("umount", home).success);
      Deno.removeSync(home);
    }
  },
});

Deno.test("JournalStore.list ignores names that are no run's", async () => {
  using lab = openLab();
  const id = newJobId();
  lab.store.create({ id, attempt: 10 });
  for (const name of ["a.journal", `${id}.1.journal`, `${id}.02.journal`, `${id}.journal.bak`, `${id}.journal.z.tmp`]) {
    Deno.writeTextFileSync(`${lab.folder}/${name}`, "");
  }
  Deno.mkdirSync(`${lab.folder}/sub`);
  assert.deepEqual(await Array.fromAsync(lab.store.list()), [{ id, attempt: 10 }]);
});

Deno.test("JournalStore names no file outside of its folder", () => {
  using lab = openLab();
  for (const [id, attempt] of [["../x", 1], [newJobId(), 0], [newJobId(), 1.5], [newJobId(), NaN]] as const) {
    assert.throws(() => lab.store.create({ id, attempt }), RangeError);
    assert.throws(() => lab.store.exists({ id, attempt }), RangeError);
  }
});
