/** Values of the configuration file. */
import * as v from "valibot";
import { parseBytes } from "../../core/values/bytes.ts";
import { parseDuration } from "../../core/values/duration.ts";

const text = v.string("must be a text");

export const safeInteger = v.pipe(
  v.number("must be a number"),
  v.safeInteger("must be a whole number"),
  v.minValue(0, "must not be negative"),
);

/** Turns a value with a parser that throws RangeErrors. */
function parsed<T>(parser: (text: string) => T) {
  return v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
    try {
      return parser(dataset.value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      addIssue({ message: error.message });
      return NEVER;
    }
  });
}

export const byteSize = v.union(
  [safeInteger, v.pipe(text, parsed((text) => Number(parseBytes(text))))],
  "must be a size such as 512M",
);
export const durationMs = v.union(
  [v.pipe(safeInteger, v.transform((seconds) => seconds * 1000)), v.pipe(text, parsed(parseDuration))],
  "must be a duration such as 10s",
);
