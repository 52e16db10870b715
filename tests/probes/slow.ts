/** Times that a busy machine under the guest can spoil, which is emulated: only all of several tries together prove a fault. */
import { AssertionError } from "node:assert/strict";

const TRIES = 3;

/** What was to happen did, but too late. */
export class TooSlow extends AssertionError {}

/** @throws {TooSlow} if it took longer */
export function within(ms: number, most: number, what: string): void {
  if (ms <= most) return;
  throw new TooSlow({ message: `${what}: ${Math.round(ms)} ms, at most ${most} ms are right` });
}

/** Acts, and once more if it was too slow. Any other failure counts at once. */
export async function unlessSlow<T>(act: () => Promise<T>): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof TooSlow) || tries === TRIES) throw error;
    }
  }
}
