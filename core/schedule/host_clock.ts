import { type Poller, WallTimer } from "../../ffi/mod.ts";
import type { Clock } from "./clock.ts";

/** The host's clock: an alarm by wall time, which also goes off when the clock is set. */
export class HostClock implements Clock, Disposable {
  readonly #timer: WallTimer;
  #callback: () => void = () => {};

  constructor(poller: Poller) {
    this.#timer = new WallTimer(poller, () => this.#callback());
  }

  now(): number {
    return Date.now();
  }

  setAlarm(at: number, callback: () => void): void {
    this.#callback = callback;
    this.#timer.set(at);
  }

  after(ms: number, callback: () => void): Disposable {
    const timer = setTimeout(callback, Math.min(ms, 2 ** 31 - 1));
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }
}
