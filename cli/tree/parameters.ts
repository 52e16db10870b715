/** What several commands have in common: positional words, numbers, help with examples. */

export const COMMAND_WORDS = {
  kind: "array",
  parameter: { parse: String, brief: "Program and its arguments, passed on as they are", placeholder: "CMD" },
  minimum: 1,
} as const;

export const JOB_ID = {
  kind: "tuple",
  parameters: [{ parse: String, brief: "Job id, or the start of one", placeholder: "ID" }],
} as const;

export const JOB_IDS = {
  kind: "array",
  parameter: { parse: String, brief: "Job ids, or starts of them", placeholder: "ID" },
  minimum: 1,
} as const;

/** Whole positive numbers. @throws {RangeError} */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new RangeError(`Cannot use '${text}': it must be a whole number, at least 1`);
  return Number(text);
}

export function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) {
    throw new RangeError(`Cannot use port '${text}': it must be 0 to 65535`);
  }
  return Number(text);
}

export function example(text: string, ...lines: string[]): string {
  return `${text}\n\nEXAMPLES\n${lines.map((line) => `  ${line}`).join("\n")}`;
}
