import type { Job } from "./job.ts";

type Listener = (job: Job) => void;

/** Tells those who watch a job of its changes. */
export class JobEvents {
  readonly #listeners = new Map<string, Set<Listener>>();

  subscribe(id: string, listener: Listener): Disposable {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners);
    const entry: Listener = (job) => listener(job);
    listeners.add(entry);
    return {
      [Symbol.dispose]: () => {
        listeners.delete(entry);
        if (listeners.size === 0 && this.#listeners.get(id) === listeners) this.#listeners.delete(id);
      },
    };
  }

  publish(job: Job): void {
    for (const listener of [...this.#listeners.get(job.id) ?? []]) listener(job);
  }
}
