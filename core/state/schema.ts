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
];

/** Checks the file and brings its schema up to date. @throws {EngineError} kind "precondition" */
export function prepareDatabase(database: DatabaseSync, path: string): void {
  const check = database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
  if (check !== "ok") {
    throw new EngineError("precondition", `Cannot use '${path}': it is damaged (${check}); restore it from a backup`);
  }
  const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (version > MIGRATIONS.length) {
    throw new EngineError("precondition", `Cannot use '${path}': a newer joblet wrote it; install that one again`);
  }
  MIGRATIONS.slice(version).forEach((migration, index) => {
    database.exec(`BEGIN IMMEDIATE; ${migration} PRAGMA user_version = ${version + index + 1}; COMMIT;`);
  });
}
