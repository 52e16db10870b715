import type { UniversalServerResponse } from "@connectrpc/connect/protocol";

const HEADER = "grpc-message";

/**
 * Escapes in `grpc-message` what gRPC wants escaped and nothing more. The library escapes ":" and "'" as well, and stock
 * clients leave that as it is: their users would read "Cannot use schedule %27x%27%3A ...".
 */
export function withPlainMessage(response: UniversalServerResponse): UniversalServerResponse {
  const { body, trailer } = response;
  if (body === undefined || trailer === undefined || !(Symbol.asyncIterator in body)) return response;
  return { ...response, body: untilTrailer(body, trailer) };
}

/** The trailer is complete when the body has ended. */
async function* untilTrailer(body: AsyncIterable<Uint8Array>, trailer: Headers): AsyncGenerator<Uint8Array> {
  yield* body;
  const message = trailer.get(HEADER);
  if (message !== null) trailer.set(HEADER, plainMessage(message));
}

/** @param escaped printable ASCII with bytes escaped as %XX */
export function plainMessage(escaped: string): string {
  return escaped.replace(/%([0-9A-Fa-f]{2})/g, (escape, hex: string) => {
    const code = parseInt(hex, 16);
    return code >= 0x20 && code <= 0x7e && code !== 0x25 ? String.fromCharCode(code) : escape;
  });
}
