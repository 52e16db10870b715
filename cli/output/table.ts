import { unicodeWidth } from "@std/cli";

/** Rows as aligned columns; the last column is cut to the width. */
export function formatTable(rows: readonly (readonly string[])[], columns: number): string {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from(
    { length: count },
    (_, index) => Math.max(...rows.map((row) => unicodeWidth(row[index] ?? ""))),
  );
  return rows.map((row) => formatRow(row, widths, columns) + "\n").join("");
}

function formatRow(row: readonly string[], widths: readonly number[], columns: number): string {
  const fixed = row.slice(0, -1).map((cell, index) => cell + " ".repeat(widths[index]! - unicodeWidth(cell))).join(
    "  ",
  );
  const room = columns - unicodeWidth(fixed) - 2;
  const last = row.at(-1) ?? "";
  const cut = last.length > room && room > 1 ? `${last.slice(0, room - 1)}…` : last;
  return (fixed === "" ? cut : `${fixed}  ${cut}`).trimEnd();
}

/** Text of a job as one safe line: control characters could move the cursor or forge output. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`);
}
