/** The part of @std/cli that is used here, under its names. */

// deno-lint-ignore no-control-regex -- that is what colours are made of
const COLORS = /\x1b\[[0-9;]*m/g;

/** Columns that a text takes on a terminal; colours take none, wide characters two. */
export function unicodeWidth(text: string): number {
  let width = 0;
  for (const char of text.replace(COLORS, "")) {
    width += isWide(char.codePointAt(0)!) ? 2 : /\p{Mn}|\p{Me}|\p{Cf}/u.test(char) ? 0 : 1;
  }
  return width;
}

/** East Asian wide and fullwidth blocks, and emoji (UAX #11, by block). */
function isWide(code: number): boolean {
  return (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) || (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) || (code >= 0x1f300 && code <= 0x1faff) || (code >= 0x20000 && code <= 0x3fffd);
}
