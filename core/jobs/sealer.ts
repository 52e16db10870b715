/** Makes the output of ended runs durable and small, in the background. */
import { EngineError } from "../errors.ts";
import type { LogStore, RunId } from "../logs/log_store.ts";
import type { JobStore } from "../state/store.ts";

/** Runs that wait; beyond that a run's output stays as it is, which only costs room. */
const MAX_WAITING = 10_000;

interface Sealable extends RunId {
  /** What the output of all attempts takes, and what this one's does. */
  readonly allBytes: number;
  readonly ownBytes: number;
}

export interface SealerParts {
  readonly logs: LogStore;
  readonly store: JobStore;
  readonly onError: (what: string, error: unknown) => void;
}

export class Sealer {
  readonly #parts: SealerParts;
  readonly #waiting: Sealable[] = [];
  #working: Promise<void> | undefined;
  #closed = false;

  constructor(parts: SealerParts) {
    this.#parts = parts;
  }

  /** @param run the last attempt that has ended */
  add(run: Sealable): void {
    if (this.#waiting.length >= MAX_WAITING || this.#closed) return;
    this.#waiting.push(run);
    this.#working ??= this.#work();
  }

  /** All that wait at once: they share what makes them durable. */
  async #work(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#closed) {
      await Promise.all(this.#waiting.splice(0).map((run) => this.#seal(run)));
    }
    this.#working = undefined;
  }

  async #seal({ id, attempt, allBytes, ownBytes }: Sealable): Promise<void> {
    const { logs, store, onError } = this.#parts;
    try {
      const bytes = await logs.seal({ id, attempt });
      if (bytes !== ownBytes) await store.noteLogBytes(id, allBytes - ownBytes + bytes);
    } catch (error) {
      // Deleted meanwhile, or it never had output.
      if (error instanceof EngineError && error.kind === "not_found") return;
      onError(`make the output of job ${id} durable`, error);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#working;
  }
}
