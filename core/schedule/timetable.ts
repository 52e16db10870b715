/** What is due when: a heap of moments and one alarm for the first of them. */
import type { Clock } from "./clock.ts";

interface Entry {
  readonly key: string;
  readonly atMs: number;
}

export class Timetable {
  readonly #clock: Clock;
  readonly #onDue: (key: string) => void;
  readonly #heap: Entry[] = [];
  /** The valid moment of each key; entries of the heap that differ were replaced or removed. */
  readonly #moments = new Map<string, number>();

  /** @param onDue called once for each key whose moment has come; a moment in the past has come */
  constructor(clock: Clock, onDue: (key: string) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#moments.size;
  }

  /** Sets a key's moment, which replaces the one it had. `onDue` is never called from in here. */
  set(key: string, atMs: number): void {
    this.#moments.set(key, atMs);
    this.#push({ key, atMs });
    if (this.#heap[0]?.key === key) this.#arm();
  }

  remove(key: string): void {
    this.#moments.delete(key);
  }

  close(): void {
    this.#moments.clear();
    this.#heap.length = 0;
    this.#clock.setAlarm(Infinity, () => {});
  }

  #arm(): void {
    this.#clock.setAlarm(this.#heap[0]?.atMs ?? Infinity, () => this.#check());
  }

  #check(): void {
    const now = this.#clock.now();
    for (let first = this.#heap[0]; first && first.atMs <= now; first = this.#heap[0]) {
      this.#pop();
      if (this.#moments.get(first.key) !== first.atMs) continue;
      this.#moments.delete(first.key);
      this.#onDue(first.key);
    }
    this.#arm();
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    for (let parent = (at - 1) >> 1; at > 0 && heap[parent]!.atMs > entry.atMs; parent = (at - 1) >> 1) {
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && heap[child + 1]!.atMs < heap[child]!.atMs) child++;
      if (heap[child]!.atMs >= last.atMs) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}
