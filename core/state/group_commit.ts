import type { DatabaseSync, StatementSync } from "node:sqlite";
import { setImmediate } from "node:timers";
import { EngineError } from "../errors.ts";

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
  // Statements, as the errors of `exec` have no result code and could not be told apart.
  readonly #beginStatement: StatementSync;
  readonly #commitStatement: StatementSync;
  #waiters: Waiter[] = [];
  #committed: Promise<void> = Promise.resolve();

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#beginStatement = database.prepare("BEGIN IMMEDIATE");
    this.#commitStatement = database.prepare("COMMIT");
  }

  /** Makes a write. @returns resolves once it is durable; rejects if it or the commit failed, and then it is undone */
  write(statement: () => void): Promise<void> {
    try {
      if (this.#waiters.length === 0) this.#begin();
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

  #begin(): void {
    if (this.#database.isTransaction) return;
    this.#beginStatement.run();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#committed = promise;
    setImmediate(() => {
      this.#commit();
      resolve();
    });
  }

  #commit(): void {
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
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { resolve, reject } of waiters) {
      if (error === undefined) resolve();
      else reject(translate(error));
    }
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#committed;
  }
}

const SQLITE_FULL = 13;
const SQLITE_IOERR = 10;

/** Puts a failure of the disk into words; everything else is passed on. */
function translate(error: unknown): unknown {
  if (!(error instanceof Error) || !("errcode" in error)) return error;
  const code = Number(error.errcode) & 0xff;
  if (code !== SQLITE_FULL && code !== SQLITE_IOERR) return error;
  return new EngineError("exhausted", `Cannot store: ${error.message}; free space on the disk of JOBLET_HOME`, {
    cause: error,
  });
}
