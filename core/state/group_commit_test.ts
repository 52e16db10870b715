import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { GroupCommit } from "./group_commit.ts";

/** SQLITE_CONSTRAINT_FOREIGNKEY */
const FOREIGN_KEY = 787;

/** A database in which a row of `child` without its parent makes the commit fail, and not the insert. */
function openDatabase(): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  database.exec(`
    CREATE TABLE parent (id INTEGER PRIMARY KEY);
    CREATE TABLE child (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)`);
  return database;
}

Deno.test("GroupCommit rejects every write of a commit that failed, with its result code, undoes them and goes on", async () => {
  using database = openDatabase();
  const commits = new GroupCommit(database);
  const good = database.prepare("INSERT INTO parent VALUES (1)");
  const bad = database.prepare("INSERT INTO child VALUES (99)");
  const results = await Promise.allSettled([
    commits.write(() => void good.run()),
    commits.write(() => void bad.run()),
  ]);
  for (const result of results) {
    assert(result.status === "rejected");
    // Without the code a full disk could not be told from any other failure.
    assert.equal(result.reason.errcode, FOREIGN_KEY);
  }
  assert.equal(database.isTransaction, false);
  await commits.write(() => void good.run());
  assert.deepEqual(database.prepare("SELECT count(*) AS n FROM parent").get()?.["n"], 1);
  assert.deepEqual(database.prepare("SELECT count(*) AS n FROM child").get()?.["n"], 0);
});

Deno.test("GroupCommit shows a write at once and resolves it only after the commit", async () => {
  using database = openDatabase();
  const commits = new GroupCommit(database);
  const insert = database.prepare("INSERT INTO parent VALUES (?)");
  const writes = [1, 2, 3].map((id) => commits.write(() => void insert.run(id)));
  assert.equal(database.prepare("SELECT count(*) AS n FROM parent").get()?.["n"], 3);
  assert.equal(database.isTransaction, true);
  await Promise.all(writes);
  assert.equal(database.isTransaction, false);
});

Deno.test("GroupCommit lets a deferrable write share the commit of the next one, and commits it alone if none comes", async () => {
  using database = openDatabase();
  const commits = new GroupCommit(database);
  const insert = database.prepare("INSERT INTO parent VALUES (?)");
  const order: string[] = [];
  const deferred = commits.write(() => void insert.run(1), true).then(() => order.push("deferred"));
  await new Promise<void>((resolve) => queueMicrotask(resolve));
  assert.equal(database.isTransaction, true);
  const urgent = commits.write(() => void insert.run(2)).then(() => order.push("urgent"));
  await Promise.all([deferred, urgent]);
  assert.deepEqual(order, ["deferred", "urgent"]);
  await commits.write(() => void insert.run(3), true);
  assert.equal(database.isTransaction, false);
  await commits.idle();
});
