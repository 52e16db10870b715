/** How a certificate's life is told to people. */

const DAY_MS = 86_400_000;
const WARN_MS = 14 * DAY_MS;

/** Whether it is time to renew: the last 14 days, or the last quarter of a life shorter than 56 days. */
export function endsSoon(notBeforeMs: number, notAfterMs: number, nowMs: number): boolean {
  return notAfterMs - nowMs < Math.min(WARN_MS, (notAfterMs - notBeforeMs) / 4);
}

/** Whole days until then, negative for the past. */
export function daysUntil(timeMs: number, nowMs: number): number {
  return Math.floor((timeMs - nowMs) / DAY_MS);
}

/** "2026-11-21" */
export function dateOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}
