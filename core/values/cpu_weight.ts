const MAX_WEIGHT = 10_000;
const DEFAULT_SHARES = 1024;
const DEFAULT_WEIGHT = 100;

/**
 * Weight of cgroup v2 (1 to 10000, default 100) for the CPU shares of cgroup v1 (2 to 262144, default 1024):
 * shares * 100 / 1024, rounded, within the bounds. So the default stays the default and shares keep their proportions, which
 * the formula that container runtimes have in common (1024 becomes 39) gives up to map one range onto the other.
 * @throws {RangeError} for what are no shares
 */
export function cpuSharesToWeight(shares: number): number {
  if (!Number.isInteger(shares) || shares < 2 || shares > 262_144) {
    throw new RangeError(`Cannot use CPU shares ${shares}: it must be a whole number from 2 to 262144`);
  }
  return Math.min(MAX_WEIGHT, Math.max(1, Math.round(shares * DEFAULT_WEIGHT / DEFAULT_SHARES)));
}
