/** One flush of the disk for all who want one within a while: a flush costs the same for one file and for a thousand. */

/** What ext4 waits too before it writes what it was not asked to. */
const DELAY_MS = 5000;

export class SharedFlush {
  readonly #flush: () => Promise<void>;
  readonly #delayMs: number;
  #next: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  #closed = false;

  /** @param delayMs longest time until a flush begins @default {5000} */
  constructor(flush: () => Promise<void>, delayMs = DELAY_MS) {
    this.#flush = flush;
    this.#delayMs = delayMs;
  }

  /** Resolves when all that was written before this call is on the disk, or `close` was called. */
  async wait(): Promise<void> {
    if (this.#closed) return;
    this.#next ??= this.#start();
    await this.#next;
  }

  async #start(): Promise<void> {
    const due = Promise.withResolvers<void>();
    const timer = setTimeout(due.resolve, this.#delayMs);
    this.#cancel = due.resolve;
    await due.promise;
    clearTimeout(timer);
    // Who comes from now on may have written after the flush began.
    this.#next = undefined;
    if (!this.#closed) await this.#flush();
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }
}
