import { EngineError } from "../../errors.ts";
import { MemoryStore } from "../../state/memory_store.ts";
import type { JobStore, JobWrite, ReplaceOptions } from "../../state/store.ts";
import type { Job } from "../job.ts";

interface Uncommitted {
  readonly undo: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A store on a disk: writes are seen at once, durable a moment later, and lost in a crash before that. */
export class SimStore implements JobStore {
  readonly #view = new MemoryStore();
  #uncommitted: Uncommitted[] = [];
  #committing = false;
  /** Commits fail, as on a full disk. */
  full = false;

  insert(job: Job): Promise<void> {
    return this.write([{ insert: job }]);
  }

  replace(job: Job, options: ReplaceOptions = {}): Promise<void> {
    return this.#apply([{ replace: job }], options.deferrable ?? false);
  }

  write(changes: readonly JobWrite[]): Promise<void> {
    return this.#apply(changes, false);
  }

  #apply(changes: readonly JobWrite[], deferrable: boolean): Promise<void> {
    const jobs = changes.map((change) => "insert" in change ? change.insert : change.replace);
    const before = jobs.map(({ id }) => this.#view.get(id));
    const written = this.#view.write(changes);
    if (jobs.some((job) => this.#view.get(job.id) !== job)) return written;
    return this.#commitLater(() => {
      jobs.forEach(({ id }, index) => {
        void this.#view.delete([id]);
        const old = before[index];
        if (old) void this.#view.insert(old);
      });
    }, deferrable);
  }

  #commitLater(undo: () => void, deferrable: boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#uncommitted.push({ undo, resolve, reject });
    if (!deferrable && !this.#committing) {
      this.#committing = true;
      // Some turns later, so that others act meanwhile.
      void turns(3).then(() => this.commit());
    }
    return promise;
  }

  /** Makes durable what was written, or undoes it. */
  commit(): void {
    this.#committing = false;
    const batch = this.#uncommitted;
    this.#uncommitted = [];
    if (this.full) {
      for (const { undo } of batch.toReversed()) undo();
      for (const { reject } of batch) reject(new EngineError("exhausted", "Cannot store: disk full"));
    } else {
      for (const { resolve } of batch) resolve();
    }
  }

  /** As if the power or the process went: nobody hears of what was not durable. */
  crash(): void {
    for (const { undo } of this.#uncommitted.toReversed()) undo();
    this.#uncommitted = [];
    this.#committing = false;
  }

  delete(ids: readonly string[]): Promise<void> {
    const before = ids.map((id) => this.#view.get(id));
    void this.#view.delete(ids);
    return this.#commitLater(() => {
      for (const job of before) if (job) void this.#view.insert(job);
    }, false);
  }

  get = (id: string) => this.#view.get(id);
  findByKey = (owner: string, key: string) => this.#view.findByKey(owner, key);
  findByPrefix = (prefix: string, limit: number) => this.#view.findByPrefix(prefix, limit);
  list: JobStore["list"] = (query) => this.#view.list(query);
  live = () => this.#view.live();
  endedTotals = () => this.#view.endedTotals();
  oldestEnded: JobStore["oldestEnded"] = (limit, options) => this.#view.oldestEnded(limit, options);
  noteLogBytes = (id: string, bytes: number) => this.#view.noteLogBytes(id, bytes);
  getNote = (key: string) => this.#view.getNote(key);
  setNote = (key: string, text: string) => this.#view.setNote(key, text);
  close = () => Promise.resolve();
}

/** Lets so many turns of pending promises pass. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await null;
}
