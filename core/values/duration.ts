const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads "1h30m", "90s", "1.5s", "250ms" or a bare number of seconds, to milliseconds. @throws {RangeError} */
export function parseDuration(text: string): number {
  const compact = text.trim();
  if (/^\d+(\.\d+)?$/.test(compact)) return Math.round(Number(compact) * 1000);
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(compact)) {
    throw new RangeError(`Cannot read duration '${text}': it must look like 90s, 5m, 1h30m or 250ms`);
  }
  let total = 0;
  for (const [, number, , unit] of compact.matchAll(/(\d+(\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(number) * UNIT_MS[unit!]!;
  }
  return Math.round(total);
}

/** "1h30m", "2.5s", "40ms": the two largest units that are not zero. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(1))}s`;
  const parts: string[] = [];
  let rest = ms;
  for (const unit of ["d", "h", "m", "s"]) {
    const count = Math.floor(rest / UNIT_MS[unit]!);
    rest -= count * UNIT_MS[unit]!;
    if (count > 0 && parts.length < 2) parts.push(`${count}${unit}`);
  }
  return parts.join("");
}
