/** Tells one waiter that something happened, also if it happened before the waiter came. An aborted signal wakes it for good. */
export class Wakeup implements Disposable {
  readonly #signal: AbortSignal;
  #happened = false;
  #resolve: (() => void) | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.notify);
  }

  /** Wakes the waiter, or lets the next `wait` pass. Bound, to be handed out as a callback. */
  readonly notify = (): void => {
    this.#happened = true;
    this.#resolve?.();
    this.#resolve = undefined;
  };

  /** Forgets what happened so far: call it before the look at what a notification is about. */
  clear(): void {
    this.#happened = false;
  }

  /** Resolves once something has happened since the last `clear`. */
  async wait(): Promise<void> {
    if (this.#happened || this.#signal.aborted) return;
    await new Promise<void>((resolve) => this.#resolve = resolve);
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.notify);
  }
}
