import type { Clock } from "../../schedule/clock.ts";

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** Time that passes only when told to. */
export class SimClock implements Clock {
  /** Wall time; monotonic time is apart from it. */
  #wall: number;
  #monotonic = 0;
  #alarm: Timer = { at: Infinity, callback: () => {} };
  readonly #timers = new Set<Timer>();

  constructor(wall: number) {
    this.#wall = wall;
  }

  now(): number {
    return this.#wall;
  }

  setAlarm(at: number, callback: () => void): void {
    this.#alarm = { at, callback };
  }

  after(ms: number, callback: () => void): Disposable {
    const timer = { at: this.#monotonic + ms, callback };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  advance(ms: number): void {
    this.#wall += ms;
    this.#monotonic += ms;
    for (const timer of [...this.#timers]) {
      if (timer.at > this.#monotonic) continue;
      this.#timers.delete(timer);
      timer.callback();
    }
    if (this.#alarm.at <= this.#wall) this.#ring();
  }

  /** As if somebody set the host's clock. */
  set(by: number): void {
    this.#wall += by;
    this.#ring();
  }

  #ring(): void {
    const { callback } = this.#alarm;
    this.#alarm = { at: Infinity, callback: () => {} };
    callback();
  }

  /** Forgets who waits: their process is gone. */
  reset(): void {
    this.#timers.clear();
    this.#alarm = { at: Infinity, callback: () => {} };
  }
}
