import type { DatabaseSync, StatementSync } from "node:sqlite";
import { setImmediate } from "node:timers";
import { EngineError } from "../errors.ts";

/** How long a deferrable write waits for another one to share its commit with. */
const DEFER_MS = 5;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Puts all writes of one turn of the event loop into one transaction: a commit costs an fsync, whatever is in it. Writes
 * are made at once, so that reads see them; only the commit, and with it the promise, comes later.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #onUndone: () => void;
  // Statements, as the errors of `exec` have no result code and could not be told apart.
  readonly #beginStatement: StatementSync;
  readonly #commitStatement: StatementSync;
  #waiters: Waiter[] = [];
  #scheduled: "no" | "deferred" | "now" = "no";
  #deferral: ReturnType<typeof setTimeout> | undefined;
  #idle = Promise.withResolvers<void>();

  /** @param onUndone told when writes that could be seen are undone */
  constructor(database: DatabaseSync, onUndone: () => void = () => {}) {
    this.#database = database;
    this.#onUndone = onUndone;
    this.#beginStatement = database.prepare("BEGIN IMMEDIATE");
    this.#commitStatement = database.prepare("COMMIT");
    this.#idle.resolve();
  }

  /**
   * Makes a write. @param deferrable its commit may wait a few milliseconds for another write's
   * @returns resolves once it is durable; rejects if it or the commit failed, and then it is undone
   */
  write(statement: () => void, deferrable = false): Promise<void> {
    try {
      if (!this.#database.isTransaction) this.#beginStatement.run();
      this.#schedule(deferrable);
      statement();
    } catch (error) {
      // A full disk ends the transaction with all that was in it; a mere conflict undoes only this statement.
      if (!this.#database.isTransaction) this.#settle(error);
      return Promise.reject(translate(error));
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiters.push({ resolve, reject });
    return promise;
  }

  /** Like `write`, for several statements that hold together: if one fails, the others are undone. */
  writeAll(statements: readonly (() => void)[]): Promise<void> {
    return this.write(() => {
      this.#database.exec("SAVEPOINT together");
      try {
        for (const statement of statements) statement();
      } catch (error) {
        // A full disk has ended the transaction, and the savepoint with it.
        if (this.#database.isTransaction) this.#database.exec("ROLLBACK TO together; RELEASE together");
        this.#onUndone();
        throw error;
      }
      this.#database.exec("RELEASE together");
    });
  }

  #schedule(deferrable: boolean): void {
    if (this.#scheduled === "now" || (deferrable && this.#scheduled === "deferred")) return;
    if (this.#scheduled === "no") this.#idle = Promise.withResolvers<void>();
    clearTimeout(this.#deferral);
    this.#scheduled = deferrable ? "deferred" : "now";
    if (deferrable) this.#deferral = setTimeout(() => this.#commit(), DEFER_MS);
    else setImmediate(() => this.#commit());
  }

  #commit(): void {
    this.#scheduled = "no";
    this.#idle.resolve();
    // Nothing is open if a failed statement has ended the transaction before.
    if (!this.#database.isTransaction) return;
    try {
      this.#commitStatement.run();
      this.#settle();
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      this.#settle(error);
    }
  }

  #settle(error?: unknown): void {
    if (error !== undefined) this.#onUndone();
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { resolve, reject } of waiters) {
      if (error === undefined) resolve();
      else reject(translate(error));
    }
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#idle.promise;
  }
}

/** BUSY, READONLY, IOERR, FULL, CANTOPEN of sqlite3.h: the disk is full or failing, or somebody else holds the file. */
const DISK_CODES: ReadonlySet<number> = new Set([5, 8, 10, 13, 14]);

/** Puts a failure of the disk into words; everything else is passed on. */
function translate(error: unknown): unknown {
  if (!(error instanceof Error) || !("errcode" in error)) return error;
  if (!DISK_CODES.has(Number(error.errcode) & 0xff)) return error;
  return new EngineError("exhausted", `Cannot store: ${error.message}; free space on the disk of JOBLET_HOME`, {
    cause: error,
  });
}
