/** Highest core number the kernel can be built for (NR_CPUS on x86-64). */
const MAX_CORE = 8191;

/** Reads "0-1,3" to [0, 1, 3]: ascending, unique. @throws {RangeError} */
export function parseCoreList(text: string): number[] {
  const cores = new Set<number>();
  for (const part of text.split(",")) {
    const match = /^\s*(\d{1,4})(?:-(\d{1,4}))?\s*$/.exec(part);
    const first = Number(match?.[1]);
    const last = match?.[2] === undefined ? first : Number(match[2]);
    if (!match || last < first || last > MAX_CORE) {
      throw new RangeError(`Cannot read core list '${text}': it must look like 0-1,3`);
    }
    for (let core = first; core <= last; core++) cores.add(core);
  }
  return [...cores].sort((a, b) => a - b);
}

/** [0, 1, 3] to "0-1,3". */
export function formatCoreList(cores: readonly number[]): string {
  const ranges: string[] = [];
  for (let i = 0; i < cores.length; i++) {
    const first = cores[i]!;
    while (cores[i + 1] === cores[i]! + 1) i++;
    ranges.push(cores[i] === first ? String(first) : `${first}-${cores[i]}`);
  }
  return ranges.join(",");
}
