/** A database of the first version of the schema, as the release that wrote it left it. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { EngineError } from "../errors.ts";
import { isTerminal } from "../jobs/job.ts";
import { openSqliteStore } from "./sqlite_store.ts";

const FIRST_VERSION = `CREATE TABLE jobs (
     id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, live INTEGER NOT NULL,
     created_ms INTEGER NOT NULL, version INTEGER NOT NULL, spec TEXT NOT NULL, status TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX jobs_by_time ON jobs (created_ms, id);
   CREATE INDEX jobs_by_owner ON jobs (owner, created_ms, id);
   CREATE INDEX jobs_live ON jobs (id) WHERE live = 1;
   PRAGMA user_version = 1;`;

const SPEC = JSON.stringify({
  command: "sh",
  args: ["-c", "x"],
  name: "n",
  env: {},
  workdir: "/work",
  network: "none",
  limits: {},
});
const STATUSES = [
  { state: "running", startedAt: "2026-01-01T00:00:00.000Z" },
  { state: "stopping", startedAt: "2026-01-01T00:00:00.000Z", requestedAt: "2026-01-01T00:00:05.000Z" },
  {
    state: "completed",
    endedAt: "2026-01-01T00:00:07.250Z",
    reason: "exited",
    startedAt: "2026-01-01T00:00:00.000Z",
    exit: { kind: "exited", code: 0 },
  },
  { state: "lost", endedAt: "2026-01-02T00:00:00.000Z", reason: "lost" },
];

const idOf = (index: number) => `${index}0000000-0000-4000-8000-000000000000`;

async function withFirstVersion(body: (path: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const path = `${dir}/joblet.db`;
    const database = new DatabaseSync(path);
    database.exec(FIRST_VERSION);
    const insert = database.prepare("INSERT INTO jobs VALUES (?, 'ann', 'n', ?, ?, ?, 3, ?, ?)");
    STATUSES.forEach((status, index) => {
      const live = isTerminal(status.state as "running") ? 0 : 1;
      insert.run(idOf(index), status.state, live, 1000 + index, SPEC, JSON.stringify(status));
    });
    database.close();
    await body(path);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a database of the first version is brought up to date, with every job in it", () =>
  withFirstVersion(async (path) => {
    const store = openSqliteStore(path);
    const jobs = STATUSES.map((_, index) => store.get(idOf(index))!);
    assert.deepEqual(jobs.map(({ status }) => status.state), STATUSES.map(({ state }) => state));
    for (const { spec, attempt, earlier, version } of jobs) {
      assert.deepEqual([spec.command, spec.labels, spec.priority, attempt, earlier, version], ["sh", {}, 0, 1, [], 3]);
    }
    const [running, stopping] = jobs;
    assert(stopping?.status.state === "stopping");
    assert.deepEqual([stopping.status.signal, stopping.status.killAt], ["SIGTERM", stopping.status.requestedAt]);
    assert.deepEqual(store.live().map(({ id }) => id), [running!.id, stopping.id]);
    assert.deepEqual(store.oldestEnded(9).map(({ id, endedMs }) => [id, endedMs]), [
      [idOf(2), Date.parse("2026-01-01T00:00:07.250Z")],
      [idOf(3), Date.parse("2026-01-02T00:00:00.000Z")],
    ]);
    await store.close();
    const again = openSqliteStore(path);
    assert.equal(again.list({}).jobs.length, STATUSES.length);
    await again.close();
  }));

Deno.test("a database of a newer version is refused, in words, and left as it is", () =>
  withFirstVersion(async (path) => {
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 99");
    database.close();
    const before = await Deno.readFile(path);
    assert.throws(
      () => openSqliteStore(path),
      (error) => error instanceof EngineError && /a newer joblet wrote it/.test(error.message),
    );
    assert.deepEqual(await Deno.readFile(path), before);
  }));
