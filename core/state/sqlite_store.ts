import { DatabaseSync, type StatementSync } from "node:sqlite";
import { EngineError } from "../errors.ts";
import type { JobPage, JobQuery } from "../jobs/engine.ts";
import { isTerminal, type Job } from "../jobs/job.ts";
import { GroupCommit } from "./group_commit.ts";
import { decodeJob, encodeJob, type StoredJob } from "./job_json.ts";
import { formatPageToken, pageSizeOf, parsePageToken } from "./page_token.ts";
import { prepareDatabase } from "./schema.ts";
import type { JobStore, ReplaceOptions } from "./store.ts";

const COLUMNS = "id, owner, created_ms AS createdMs, version, spec, status";

export interface SqliteOptions {
  /** Size bound in pages of 4 KiB. @default unbounded */
  readonly maxPages?: number;
}

/**
 * Opens or makes a database file, mode 0600, in WAL mode with synchronous=FULL: what is acknowledged survives a power cut.
 * @throws {EngineError} kind "precondition" if the file is damaged or of a newer version
 */
export function openSqliteStore(path: string, options: SqliteOptions = {}): JobStore {
  // The permissions are set before anything is in it; SQLite gives its side files those of the main one.
  Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 }).close();
  const database = openDatabase(path);
  try {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;");
    prepareDatabase(database, path);
    if (options.maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${options.maxPages}`);
    return new SqliteStore(database);
  } catch (error) {
    database.close();
    if (error instanceof EngineError) throw error;
    throw unusable(path, error);
  }
}

function openDatabase(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path);
  } catch (error) {
    throw unusable(path, error);
  }
}

function unusable(path: string, cause: unknown): EngineError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new EngineError("precondition", `Cannot use '${path}': ${reason}`, { cause });
}

class SqliteStore implements JobStore {
  readonly #database: DatabaseSync;
  readonly #commits: GroupCommit;
  readonly #insert: StatementSync;
  readonly #replace: StatementSync;
  readonly #get: StatementSync;
  readonly #prefix: StatementSync;
  readonly #live: StatementSync;
  readonly #delete: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#commits = new GroupCommit(database);
    this.#insert = database.prepare(
      "INSERT INTO jobs (id, owner, name, state, live, created_ms, version, spec, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#replace = database.prepare(
      "UPDATE jobs SET state = ?, live = ?, version = ?, status = ? WHERE id = ? AND version = ?",
    );
    this.#get = database.prepare(`SELECT ${COLUMNS} FROM jobs WHERE id = ?`);
    this.#prefix = database.prepare(`SELECT ${COLUMNS} FROM jobs WHERE id >= ? AND id < ? ORDER BY id LIMIT ?`);
    this.#live = database.prepare(`SELECT ${COLUMNS} FROM jobs WHERE live = 1`);
    this.#delete = database.prepare("DELETE FROM jobs WHERE id = ?");
  }

  insert(job: Job): Promise<void> {
    const { id, owner, createdMs, version, spec, status } = encodeJob(job);
    const { state } = job.status;
    return this.#commits.write(() => {
      if (this.#get.get(id)) throw new EngineError("conflict", `Cannot insert job '${id}': it exists`);
      this.#insert.run(id, owner, job.spec.name, state, isTerminal(state) ? 0 : 1, createdMs, version, spec, status);
    });
  }

  replace(job: Job, options: ReplaceOptions = {}): Promise<void> {
    const { id, version, status } = encodeJob(job);
    const { state } = job.status;
    return this.#commits.write(() => {
      const { changes } = this.#replace.run(state, isTerminal(state) ? 0 : 1, version, status, id, version - 1);
      if (changes === 0) throw new EngineError("conflict", `Cannot change job '${id}': it has changed meanwhile`);
    }, options.deferrable);
  }

  get(id: string): Job | undefined {
    const row = this.#get.get(id);
    return row && toJob(row);
  }

  findByPrefix(prefix: string, limit: number): Job[] {
    // "g" sorts behind every digit of an id, so this range is all that begins with the prefix.
    return this.#prefix.all(prefix, `${prefix}g`, limit).map(toJob);
  }

  list(query: JobQuery): JobPage {
    const size = pageSizeOf(query.pageSize);
    const conditions: string[] = [];
    const values: (string | number)[] = [];
    const where = (condition: string, ...bound: (string | number)[]) => {
      conditions.push(condition);
      values.push(...bound);
    };
    if (query.states?.length) where(`state IN (${query.states.map(() => "?").join(", ")})`, ...query.states);
    if (query.owner !== undefined) where("owner = ?", query.owner);
    if (query.name !== undefined) where("name = ?", query.name);
    if (query.pageToken) {
      const { createdMs, id } = parsePageToken(query.pageToken);
      where("(created_ms, id) < (?, ?)", createdMs, id);
    }
    const filter = conditions.length > 0 ? `WHERE ${conditions.join(" AND ")}` : "";
    const statement = `SELECT ${COLUMNS} FROM jobs ${filter} ORDER BY created_ms DESC, id DESC LIMIT ?`;
    const found = this.#database.prepare(statement).all(...values, size + 1).map(toJob);
    const jobs = found.slice(0, size);
    const last = jobs.at(-1);
    if (found.length <= size || !last) return { jobs };
    return { jobs, nextPageToken: formatPageToken({ createdMs: last.createdAt.getTime(), id: last.id }) };
  }

  live(): Job[] {
    return this.#live.all().map(toJob);
  }

  delete(id: string): Promise<void> {
    return this.#commits.write(() => void this.#delete.run(id));
  }

  async close(): Promise<void> {
    await this.#commits.idle();
    this.#database.close();
  }
}

type Row = ReturnType<StatementSync["all"]>[number];

/** The columns are declared STRICT, so what a row holds has these types. */
function toJob(row: Row): Job {
  const { id, owner, createdMs, version, spec, status } = row;
  const stored = { id, owner, createdMs: Number(createdMs), version: Number(version), spec, status };
  return decodeJob(stored as StoredJob);
}
