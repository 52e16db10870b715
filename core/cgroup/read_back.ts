import type { LimitWrite } from "./limits.ts";

/** The largest page of the architectures that joblet runs on: the kernel rounds memory down to pages. */
const MAX_PAGE_BYTES = 65_536;

/** Whether a cgroup file says what was written to it. @param text what was read after the write */
export function holds({ file, value }: LimitWrite, text: string): boolean {
  const lines = text.trim().split("\n");
  switch (file) {
    case "io.max":
      return hasRates(lines, value);
    case "memory.max":
    case "memory.high": {
      const lost = Number(value) - Number(lines[0]);
      return lost >= 0 && lost < MAX_PAGE_BYTES;
    }
    default:
      // Weights of single devices follow the default.
      return lines[0] === value;
  }
}

/** Whether the line of the device, "254:0 rbps=1048576 wbps=max riops=max wiops=max", has all the rates. */
function hasRates(lines: readonly string[], value: string): boolean {
  const [device, ...rates] = value.split(" ");
  const found = lines.map((line) => line.split(" ")).find(([name]) => name === device) ?? [];
  return rates.every((rate) => found.includes(rate));
}
