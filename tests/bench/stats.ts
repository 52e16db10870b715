/** Figures of one measurement. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** The slowest of a hundred, where single runs were timed. */
  readonly p99?: number;
  readonly note?: string;
}

export function percentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? NaN;
}

/** Median and p99 of single runs in ms. */
export function times(name: string, values: readonly number[], note?: string): Figure {
  const figure = { name, unit: "ms", value: percentile(values, 0.5), p99: percentile(values, 0.99) };
  return note === undefined ? figure : { ...figure, note };
}

/** Runs a function so often with so many at once. @returns runs per second */
export async function perSecond(total: number, inFlight: number, run: () => Promise<void>): Promise<number> {
  let next = 0;
  const begin = performance.now();
  await Promise.all(Array.from({ length: inFlight }, async () => {
    while (next++ < total) await run();
  }));
  return total / ((performance.now() - begin) / 1000);
}

export function table(figures: readonly Figure[]): string {
  const rows = figures.map(({ name, value, unit, p99, note }) => [
    name,
    `${format(value)} ${unit}`,
    p99 === undefined ? "" : `${format(p99)} ${unit}`,
    note ?? "",
  ]);
  const all = [["measurement", "p50 or value", "p99", "note"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]!.length)));
  return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()).join("\n");
}

function format(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString("en") : Number(value.toPrecision(3)).toString();
}
