import type { DatabaseSync } from "node:sqlite";
import { EngineError } from "../errors.ts";

/** Schema changes in order; the database's user_version says how many it has seen. Never edit one that was released. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE jobs (
     id TEXT PRIMARY KEY,
     owner TEXT NOT NULL,
     name TEXT NOT NULL,
     state TEXT NOT NULL,
     live INTEGER NOT NULL,
     created_ms INTEGER NOT NULL,
     version INTEGER NOT NULL,
     spec TEXT NOT NULL,
     status TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX jobs_by_time ON jobs (created_ms, id);
   CREATE INDEX jobs_by_owner ON jobs (owner, created_ms, id);
   CREATE INDEX jobs_live ON jobs (id) WHERE live = 1;`,
  `ALTER TABLE jobs ADD COLUMN attempts TEXT NOT NULL DEFAULT '[]';
   ALTER TABLE jobs ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;
   ALTER TABLE jobs ADD COLUMN scheduled_by TEXT;
   ALTER TABLE jobs ADD COLUMN idempotency_key TEXT;
   ALTER TABLE jobs ADD COLUMN ended_ms INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE jobs ADD COLUMN log_bytes INTEGER NOT NULL DEFAULT 0;
   UPDATE jobs SET
     spec = json_set(spec, '$.labels', json('{}'), '$.priority', 0),
     ended_ms = CASE WHEN live = 1 THEN 0
       ELSE CAST(unixepoch(json_extract(status, '$.endedAt'), 'subsec') * 1000 AS INTEGER) END;
   UPDATE jobs SET status = json_set(status, '$.signal', 'SIGTERM', '$.killAt', json_extract(status, '$.requestedAt'))
     WHERE state = 'stopping';
   CREATE UNIQUE INDEX jobs_by_key ON jobs (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
   CREATE INDEX jobs_by_schedule ON jobs (scheduled_by, created_ms, id) WHERE scheduled_by IS NOT NULL;
   CREATE INDEX jobs_ended ON jobs (ended_ms, id, attempt, log_bytes) WHERE live = 0;
   DROP INDEX jobs_live;
   CREATE INDEX jobs_live ON jobs (created_ms, id) WHERE live = 1;
   CREATE TABLE labels (
     key TEXT NOT NULL,
     value TEXT NOT NULL,
     job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
     PRIMARY KEY (key, value, job)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX labels_by_job ON labels (job);
   CREATE TABLE notes (key TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;`,
];

/** Refuses a newer joblet's file, before anything in it is touched. @throws {EngineError} kind "precondition" */
export function checkVersion(database: DatabaseSync, path: string): void {
  if (versionOf(database) > MIGRATIONS.length) {
    throw new EngineError("precondition", `Cannot use '${path}': a newer joblet wrote it; install that one again`);
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
}

/** Checks the file and brings its schema up to date. @throws {EngineError} kind "precondition" */
export function prepareDatabase(database: DatabaseSync, path: string): void {
  const check = database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
  if (check !== "ok") {
    throw new EngineError("precondition", `Cannot use '${path}': it is damaged (${check}); restore it from a backup`);
  }
  const version = versionOf(database);
  MIGRATIONS.slice(version).forEach((migration, index) => {
    database.exec(`BEGIN IMMEDIATE; ${migration} PRAGMA user_version = ${version + index + 1}; COMMIT;`);
  });
}
