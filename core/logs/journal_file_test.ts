import assert from "node:assert/strict";
import { homeAt } from "../values/home.ts";
import { EngineError } from "../errors.ts";
import { JOB_ID, JournalFixture, output } from "./_journal_fixture.ts";
import { createJournal, deleteJournal, journalPath, openJournal } from "./journal_file.ts";
import { decodeHeader, encodeHeader } from "./journal_header.ts";

function engineError(kind: string, message: RegExp) {
  return (error: unknown) => error instanceof EngineError && error.kind === kind && message.test(error.message);
}

Deno.test("journalPath keeps all journals in one folder", () => {
  assert.equal(journalPath(homeAt("/opt/joblet"), JOB_ID), `/opt/joblet/logs/${JOB_ID}.journal`);
});

Deno.test("createJournal writes a header of 64 bytes into a file that only its owner may read", async () => {
  using journal = new JournalFixture();
  const before = BigInt(Date.now()) * 1_000_000n;
  assert.equal(Deno.statSync(journal.path).mode! & 0o777, 0o600);
  using reader = await openJournal(journal.path);
  const header = decodeHeader(await reader.readAt(0, 64));
  assert.equal(header.jobId, JOB_ID);
  assert.ok(header.createdNs <= before && header.createdNs > before - 60_000_000_000n);
  assert.equal(reader.size, 64);
});

Deno.test("createJournal leaves a journal that exists as it is and throws a conflict", () => {
  using journal = new JournalFixture();
  journal.append(output("kept"));
  const before = Deno.readFileSync(journal.path);
  assert.throws(() => createJournal(journal.path, JOB_ID), engineError("conflict", /it exists$/));
  assert.deepEqual(Deno.readFileSync(journal.path), before);
});

Deno.test("createJournal refuses an id that is no UUID and makes no file", () => {
  const folder = Deno.makeTempDirSync();
  assert.throws(() => createJournal(`${folder}/no/x.journal`, "x"), /Cannot write job id 'x'/);
  assert.deepEqual([...Deno.readDirSync(folder)], []);
  Deno.removeSync(folder);
});

Deno.test("deleteJournal removes the file, and is content if there is none", async () => {
  using journal = new JournalFixture();
  await deleteJournal(journal.path);
  await deleteJournal(journal.path);
  await assert.rejects(openJournal(journal.path), engineError("not_found", /there is none$/));
});

Deno.test("openJournal refuses each kind of wrong header and says what is wrong", async () => {
  const cases: [number, RegExp][] = [[0, /magic/], [8, /format version 254/], [12, /claims 191 bytes/], [
    20,
    /checksum/,
  ]];
  for (const [place, message] of cases) {
    using journal = new JournalFixture();
    journal.flip(place);
    await assert.rejects(openJournal(journal.path), engineError("precondition", message));
  }
  using journal = new JournalFixture();
  Deno.truncateSync(journal.path, 10);
  await assert.rejects(openJournal(journal.path), engineError("precondition", /It has 10 of the 64 bytes/));
});

Deno.test("decodeHeader gives back what encodeHeader wrote", () => {
  const header = { jobId: JOB_ID, createdNs: 1_800_000_000_123_456_789n };
  assert.deepEqual(decodeHeader(encodeHeader(header)), header);
});

Deno.test("JournalReader.readAt gives what lies at the offset, up to the end of the file, in any order", async () => {
  using journal = new JournalFixture();
  const random = crypto.getRandomValues(new Uint8Array(65536));
  for (let i = 0; i < 3; i++) journal.write(random);
  const whole = Deno.readFileSync(journal.path);
  using reader = await openJournal(journal.path);
  for (const [offset, length] of [[100_000, 90_000], [64, 10], [whole.length - 5, 100], [0, 1_000_000]] as const) {
    assert.deepEqual(await reader.readAt(offset, length), whole.subarray(offset, offset + length));
  }
  assert.equal((await reader.readAt(whole.length, 10)).length, 0);
  assert.equal((await reader.readAt(whole.length + 1000, 10)).length, 0);
});

Deno.test("JournalReader closed twice closes once", async () => {
  using journal = new JournalFixture();
  const reader = await openJournal(journal.path);
  reader[Symbol.dispose]();
  reader[Symbol.dispose]();
});
