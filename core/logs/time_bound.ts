import type { Frame } from "./frame.ts";

/** init takes a frame's time just before it writes it: so long after a time, nothing older comes any more. */
const WRITE_MS = 50;
/** setTimeout takes no more. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The frames up to the first one of this time or later: all, if no time is given. */
export function framesBefore(frames: readonly Frame[], untilNs: bigint | undefined): readonly Frame[] {
  if (untilNs === undefined) return frames;
  const index = frames.findIndex((frame) => frame.timeNs >= untilNs);
  return index < 0 ? frames : frames.slice(0, index);
}

function msTo(untilNs: bigint): number {
  return Number(untilNs / 1_000_000n) + 1 + WRITE_MS - Date.now();
}

/** Whether all that was written before this time can be read by now. */
export function isPast(untilNs: bigint | undefined): boolean {
  return untilNs !== undefined && msTo(untilNs) <= 0;
}

/** Calls back when the time is past, or earlier. */
export function alarm(untilNs: bigint | undefined, onTime: () => void): Disposable {
  if (untilNs === undefined) return { [Symbol.dispose]() {} };
  const timer = setTimeout(onTime, Math.min(Math.max(1, msTo(untilNs)), MAX_TIMER_MS));
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
