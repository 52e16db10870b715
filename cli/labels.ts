/** `--label KEY=VALUE`, on jobs that are started and as a filter. */

/** A flag that may be given several times. */
export const LABEL_FILTER = {
  kind: "parsed",
  parse: parseLabel,
  brief: "Only jobs with this label, repeatable: all must fit",
  placeholder: "K=V",
  optional: true,
  variadic: true,
} as const;

export type Label = readonly [key: string, value: string];

export function parseLabel(text: string): Label {
  const at = text.indexOf("=");
  if (at < 1) throw new RangeError(`Cannot use --label '${text}': it must look like KEY=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** @throws {RangeError} two values for a key: dropping one would widen a filter without a word */
export function labelMap(labels: readonly Label[] = []): Record<string, string> {
  const map = new Map<string, string>();
  for (const [key, value] of labels) {
    const other = map.get(key);
    if (other !== undefined && other !== value) {
      throw new RangeError(
        `Cannot use --label '${key}=${value}': a key can have one value, and '${other}' is given too`,
      );
    }
    map.set(key, value);
  }
  return Object.fromEntries(map);
}
