import type { Limits } from "../jobs/spec.ts";

/**
 * What holds for a job's memory on a server that kills at a percentage of what was asked for. Above 100 % what was asked for
 * becomes the soft limit, unless the job has one that is lower; below, the soft limit may lie above and does nothing.
 * @param percent at least 1
 */
export function killLimit(limits: Limits, percent: number): Limits {
  const { memoryBytes } = limits;
  if (memoryBytes === undefined || percent === 100) return limits;
  const killed = { ...limits, memoryBytes: Math.floor(memoryBytes * percent / 100) };
  return percent < 100 ? killed : { memoryHighBytes: memoryBytes, ...killed };
}
