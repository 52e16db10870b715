const encoder = new TextEncoder();

/** NUL-terminated UTF-8. @throws {TypeError} if the text holds a NUL */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) throw new TypeError(`Cannot pass '${text.replaceAll("\0", "\\0")}': it holds a NUL`);
  const bytes = new Uint8Array(encoder.encode(text).length + 1);
  encoder.encodeInto(text, bytes);
  return bytes;
}

/** Numeric address of a buffer's first byte. The buffer must be kept alive, and not resized, while it is in use. */
export function addressOf(buffer: Uint8Array<ArrayBuffer>): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer)));
}
