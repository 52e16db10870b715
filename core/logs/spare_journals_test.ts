import assert from "node:assert/strict";
import { newJobId } from "../values/job_id.ts";
import { openJournal } from "./journal_file.ts";
import { decodeHeader } from "./journal_header.ts";
import { SpareJournals } from "./spare_journals.ts";

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("SpareJournals.create makes the same journal with a spare, without one, and into a folder that is missing", () =>
  withFolder(async (folder) => {
    const spares = new SpareJournals(`${folder}/spares`);
    await Deno.mkdir(`${folder}/logs`);
    for (const [refills, path] of [[0, "logs/a"], [1, "logs/b"], [1, "none/c"], [2, "logs/d"]] as const) {
      for (let i = 0; i < refills; i++) spares.refill();
      const id = newJobId();
      spares.create(`${folder}/${path}`, id);
      using reader = await openJournal(`${folder}/${path}`);
      assert.equal(decodeHeader(await reader.readAt(0, 64)).jobId, id);
      assert.equal(reader.size, 64);
      assert.equal((await Deno.stat(`${folder}/${path}`)).mode! & 0o777, 0o600);
    }
  }));

Deno.test("SpareJournals keeps a bounded number of spares and none of an earlier process", () =>
  withFolder((folder) => {
    const count = () => [...Deno.readDirSync(`${folder}/spares`)].length;
    const spares = new SpareJournals(`${folder}/spares`);
    for (let i = 0; i < 50; i++) spares.refill();
    assert.equal(count(), 8);
    new SpareJournals(`${folder}/spares`);
    assert.equal(count(), 0);
    return Promise.resolve();
  }));
