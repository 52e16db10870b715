/** Time as the life of jobs needs it; tests bring their own. */
export interface Clock {
  /** Wall time, in milliseconds since the epoch. */
  now(): number;
  /**
   * Calls back once when wall time has reached `at`, or when the clock was set: then the callback looks again. Replaces the
   * alarm before it. @param at Infinity for none
   */
  setAlarm(at: number, callback: () => void): void;
  /** Calls back once after a span of monotonic time, however the clock is set. */
  after(ms: number, callback: () => void): Disposable;
}
