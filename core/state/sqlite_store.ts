import { DatabaseSync, type StatementSync } from "node:sqlite";
import { EngineError } from "../errors.ts";
import type { JobPage, JobQuery } from "../jobs/engine.ts";
import { isTerminal, type Job } from "../jobs/job.ts";
import { GroupCommit } from "./group_commit.ts";
import { decodeJob, encodeJob, logBytesOf, type StoredJob } from "./job_json.ts";
import { formatPageToken, pageSizeOf, parsePageToken } from "./page_token.ts";
import { checkVersion, prepareDatabase } from "./schema.ts";
import type { EndedJob, EndedTotals, JobStore, JobWrite, ReplaceOptions } from "./store.ts";

const COLUMNS = `id, owner, created_ms AS createdMs, version, spec, status, attempt, attempts,
  scheduled_by AS scheduledBy, idempotency_key AS idempotencyKey`;

const MAX_RECENT = 1000;

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
    checkVersion(database, path);
    database.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON;",
    );
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

const INSERT = `INSERT INTO jobs (id, owner, name, state, live, created_ms, version, spec, status, attempt, attempts,
  scheduled_by, idempotency_key, ended_ms, log_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const REPLACE = `UPDATE jobs SET state = ?, live = ?, version = ?, status = ?, attempt = ?, attempts = ?, ended_ms = ?,
  log_bytes = ? WHERE id = ? AND version = ?`;

class SqliteStore implements JobStore {
  readonly #database: DatabaseSync;
  readonly #commits: GroupCommit;
  readonly #statements: ReturnType<typeof prepareStatements>;
  /** Jobs as they were written last: nearly all that is read is what was just written. */
  readonly #recent = new Map<string, Job>();

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#commits = new GroupCommit(database, () => this.#recent.clear());
    this.#statements = prepareStatements(database);
  }

  insert(job: Job): Promise<void> {
    const write = this.#toInsert(job);
    return this.#commits.write(write);
  }

  replace(job: Job, options: ReplaceOptions = {}): Promise<void> {
    const write = this.#toReplace(job);
    return this.#commits.write(write, options.deferrable);
  }

  write(changes: readonly JobWrite[]): Promise<void> {
    const writes = changes.map((change) =>
      "insert" in change ? this.#toInsert(change.insert) : this.#toReplace(change.replace)
    );
    return this.#commits.writeAll(writes);
  }

  #toInsert(job: Job): () => void {
    const { id, owner, createdMs, version, spec, status, attempt, attempts, scheduledBy, idempotencyKey } = encodeJob(
      job,
    );
    const { state } = job.status;
    const { get, insert, label, byKey } = this.#statements;
    return () => {
      if (get.get(id)) throw new EngineError("conflict", `Cannot insert job '${id}': it exists`);
      if (idempotencyKey !== null && byKey.get(owner, idempotencyKey)) {
        throw new EngineError("conflict", `Cannot insert job '${id}': its idempotency key was used before`);
      }
      const live = isTerminal(state) ? 0 : 1;
      const values = [id, owner, job.spec.name, state, live, createdMs, version, spec, status, attempt, attempts];
      insert.run(...values, scheduledBy, idempotencyKey, endedMsOf(job), logBytesOf(job));
      for (const [key, value] of Object.entries(job.spec.labels)) label.run(key, value, id);
      this.#remember(job);
    };
  }

  #toReplace(job: Job): () => void {
    const { id, version, status, attempt, attempts } = encodeJob(job);
    const { state } = job.status;
    return () => {
      const live = isTerminal(state) ? 0 : 1;
      const values = [state, live, version, status, attempt, attempts, endedMsOf(job), logBytesOf(job)];
      const { changes } = this.#statements.replace.run(...values, id, version - 1);
      if (changes === 0) throw new EngineError("conflict", `Cannot change job '${id}': it has changed meanwhile`);
      this.#remember(job);
    };
  }

  #remember(job: Job): void {
    this.#recent.delete(job.id);
    this.#recent.set(job.id, job);
    if (this.#recent.size > MAX_RECENT) this.#recent.delete(this.#recent.keys().next().value!);
  }

  get(id: string): Job | undefined {
    const recent = this.#recent.get(id);
    if (recent) return recent;
    const row = this.#statements.get.get(id);
    return row && toJob(row);
  }

  findByKey(owner: string, idempotencyKey: string): Job | undefined {
    const row = this.#statements.byKey.get(owner, idempotencyKey);
    return row && toJob(row);
  }

  findByPrefix(prefix: string, limit: number): Job[] {
    // "g" sorts behind every digit of an id, so this range is all that begins with the prefix.
    return this.#statements.prefix.all(prefix, `${prefix}g`, limit).map(toJob);
  }

  list(query: JobQuery): JobPage {
    const size = pageSizeOf(query.pageSize);
    const { text, values } = listStatement(query);
    const found = this.#database.prepare(text).all(...values, size + 1).map(toJob);
    const jobs = found.slice(0, size);
    const last = jobs.at(-1);
    if (found.length <= size || !last) return { jobs };
    return { jobs, nextPageToken: formatPageToken({ createdMs: last.createdAt.getTime(), id: last.id }) };
  }

  live(): Job[] {
    return this.#statements.live.all().map(toJob);
  }

  endedTotals(): EndedTotals {
    const row = this.#statements.totals.get();
    return { jobs: Number(row?.["jobs"]), logBytes: Number(row?.["logBytes"]) };
  }

  oldestEnded(limit: number, options: { readonly withLogs?: boolean } = {}): EndedJob[] {
    return this.#statements.oldest.all(options.withLogs ? 0 : -1, limit).map((row) => ({
      id: String(row["id"]),
      endedMs: Number(row["endedMs"]),
      attempts: Number(row["attempts"]),
      logBytes: Number(row["logBytes"]),
    }));
  }

  noteLogBytes(id: string, logBytes: number): Promise<void> {
    return this.#commits.write(() => void this.#statements.logBytes.run(logBytes, id), true);
  }

  delete(ids: readonly string[]): Promise<void> {
    return this.#commits.write(() => {
      for (const id of ids) {
        this.#statements.delete.run(id);
        this.#recent.delete(id);
      }
    });
  }

  getNote(key: string): string | undefined {
    const row = this.#statements.getNote.get(key);
    return row && String(row["text"]);
  }

  setNote(key: string, text: string): Promise<void> {
    return this.#commits.write(() => void this.#statements.setNote.run(key, text));
  }

  async close(): Promise<void> {
    await this.#commits.idle();
    this.#database.close();
  }
}

function prepareStatements(database: DatabaseSync) {
  return {
    insert: database.prepare(INSERT),
    replace: database.prepare(REPLACE),
    label: database.prepare("INSERT INTO labels (key, value, job) VALUES (?, ?, ?)"),
    get: database.prepare(`SELECT ${COLUMNS} FROM jobs WHERE id = ?`),
    byKey: database.prepare(`SELECT ${COLUMNS} FROM jobs WHERE owner = ? AND idempotency_key = ?`),
    prefix: database.prepare(`SELECT ${COLUMNS} FROM jobs WHERE id >= ? AND id < ? ORDER BY id LIMIT ?`),
    live: database.prepare(`SELECT ${COLUMNS} FROM jobs WHERE live = 1 ORDER BY created_ms, id`),
    totals: database.prepare(
      "SELECT count(*) AS jobs, coalesce(sum(log_bytes), 0) AS logBytes FROM jobs WHERE live = 0",
    ),
    oldest: database.prepare(
      `SELECT id, ended_ms AS endedMs, attempt AS attempts, log_bytes AS logBytes FROM jobs
        WHERE live = 0 AND log_bytes > ? ORDER BY ended_ms, id LIMIT ?`,
    ),
    logBytes: database.prepare("UPDATE jobs SET log_bytes = ? WHERE id = ? AND live = 0"),
    delete: database.prepare("DELETE FROM jobs WHERE id = ?"),
    getNote: database.prepare("SELECT text FROM notes WHERE key = ?"),
    setNote: database.prepare(
      "INSERT INTO notes (key, text) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET text = excluded.text",
    ),
  };
}

function endedMsOf({ status }: Job): number {
  return "endedAt" in status ? status.endedAt.getTime() : 0;
}

function listStatement(query: JobQuery): { readonly text: string; readonly values: (string | number)[] } {
  const conditions: string[] = [];
  const values: (string | number)[] = [];
  const where = (condition: string, ...bound: (string | number)[]) => {
    conditions.push(condition);
    values.push(...bound);
  };
  if (query.states?.length) {
    where(`state IN (${query.states.map(() => "?").join(", ")})`, ...query.states);
    // Lets the index of live jobs be used, which is short however many have ended.
    if (!query.states.some(isTerminal)) where("live = 1");
  }
  if (query.owner !== undefined) where("owner = ?", query.owner);
  if (query.name !== undefined) where("name = ?", query.name);
  if (query.scheduledBy !== undefined) where("scheduled_by = ?", query.scheduledBy);
  for (const [key, value] of Object.entries(query.labels ?? {})) {
    where("id IN (SELECT job FROM labels WHERE key = ? AND value = ?)", key, value);
  }
  if (query.pageToken) {
    const { createdMs, id } = parsePageToken(query.pageToken);
    where("(created_ms, id) < (?, ?)", createdMs, id);
  }
  const filter = conditions.length > 0 ? `WHERE ${conditions.join(" AND ")}` : "";
  return { text: `SELECT ${COLUMNS} FROM jobs ${filter} ORDER BY created_ms DESC, id DESC LIMIT ?`, values };
}

type Row = ReturnType<StatementSync["all"]>[number];

/** The columns are declared STRICT, so what a row holds has these types. */
function toJob(row: Row): Job {
  return decodeJob({ ...row, createdMs: Number(row["createdMs"]), version: Number(row["version"]) } as StoredJob);
}
