import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { EngineError } from "../errors.ts";
import { openSqliteStore } from "./sqlite_store.ts";
import { someJob } from "../jobs/_job_fixture.ts";
import { storeContract } from "./store_contract.ts";

storeContract("SqliteStore", () => {
  const dir = Deno.makeTempDirSync();
  return { store: openSqliteStore(`${dir}/joblet.db`), cleanUp: () => Deno.remove(dir, { recursive: true }) };
});

async function withDir(body: (path: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await body(`${dir}/joblet.db`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("SqliteStore keeps jobs over a reopen, in a file that only its owner can read", () =>
  withDir(async (path) => {
    const job = someJob();
    const first = openSqliteStore(path);
    await first.insert(job);
    await first.close();
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    const second = openSqliteStore(path);
    assert.deepEqual(second.get(job.id), job);
    await second.close();
  }));

Deno.test("SqliteStore loses no acknowledged job when its process is killed", () =>
  withDir(async (path) => {
    const script = new URL("./_insert_forever.ts", import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), { args: ["run", "-A", script, path], stdout: "piped" }).spawn();
    const acknowledged: string[] = [];
    let text = "";
    let killed = false;
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      // Once: what was in the pipe arrives after the end, and a process that is gone can't be killed.
      if (!killed && text.length > 20_000) {
        child.kill("SIGKILL");
        killed = true;
      }
    }
    await child.status;
    acknowledged.push(...text.split("\n").slice(0, -1));
    assert(acknowledged.length > 100);
    const store = openSqliteStore(path);
    assert.deepEqual(acknowledged.filter((id) => !store.get(id)), []);
    await store.close();
  }));

Deno.test("SqliteStore rejects every write of a commit for which the disk is full, and works again when there is room", () =>
  withDir(async (path) => {
    // A page limit fails like a full disk: SQLITE_FULL.
    const store = openSqliteStore(path, { maxPages: 24 });
    const kept = someJob();
    await store.insert(kept);
    const big = someJob();
    const huge = { ...big, spec: { ...big.spec, args: ["y".repeat(200_000)] } };
    const neighbour = someJob();
    const [first, second] = await Promise.allSettled([store.insert(neighbour), store.insert(huge)]);
    for (const result of [first, second]) {
      assert(
        result?.status === "rejected" && result.reason instanceof EngineError && result.reason.kind === "exhausted",
      );
    }
    assert.deepEqual(store.live(), [kept]);
    assert.deepEqual([neighbour.id, big.id, kept.id].map((id) => store.get(id)), [undefined, undefined, kept]);
    await store.insert(someJob());
    await store.close();
  }));

Deno.test("openSqliteStore refuses a file that is no database, is damaged, or is of a newer version", () =>
  withDir(async (path) => {
    await Deno.writeTextFile(path, "this is no database, but long enough to look at".repeat(100));
    assert.throws(() => openSqliteStore(path), (error: unknown) => {
      assert(error instanceof EngineError && error.kind === "precondition");
      assert.match(error.message, /not a database/);
      return true;
    });
    await Deno.remove(path);
    await openSqliteStore(path).close();
    const newer = new DatabaseSync(path);
    newer.exec("PRAGMA user_version = 99");
    newer.close();
    assert.throws(() => openSqliteStore(path), /a newer joblet wrote it/);
  }));
