const UNITS: Readonly<Record<string, bigint>> = {
  "": 1n,
  B: 1n,
  K: 1n << 10n,
  KB: 1n << 10n,
  KIB: 1n << 10n,
  M: 1n << 20n,
  MB: 1n << 20n,
  MIB: 1n << 20n,
  G: 1n << 30n,
  GB: 1n << 30n,
  GIB: 1n << 30n,
  T: 1n << 40n,
  TB: 1n << 40n,
  TIB: 1n << 40n,
};

export interface ParseBytesOptions {
  /** Unit of a bare number. @default {"B"} */
  readonly bareUnit?: "B" | "K" | "M" | "G";
}

/** Reads "512M", "1.5GiB" or "1048576"; every unit is binary. @throws {RangeError} */
export function parseBytes(text: string, options: ParseBytesOptions = {}): bigint {
  const match = /^(\d{1,15})(?:\.(\d{1,6}))?\s*([A-Za-z]*)$/.exec(text.trim());
  const unit = match?.[3] === "" ? UNITS[options.bareUnit ?? "B"] : UNITS[match?.[3]?.toUpperCase() ?? "?"];
  if (!match || unit === undefined) {
    throw new RangeError(`Cannot read size '${text}': it must be a number with an optional unit B, K, M, G or T`);
  }
  const fraction = match[2] ?? "";
  const scale = 10n ** BigInt(fraction.length);
  const bytes = (BigInt(match[1]! + fraction) * unit) / scale;
  if (bytes >= 1n << 63n) throw new RangeError(`Cannot read size '${text}': it is too large`);
  return bytes;
}

/** "0 B", "1.5 MiB": at most one decimal. */
export function formatBytes(bytes: number | bigint): string {
  let value = Number(bytes);
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (value < 1024) return `${Number(value.toFixed(1))} ${unit}`;
    value /= 1024;
  }
  return `${Number(value.toFixed(1))} TiB`;
}
