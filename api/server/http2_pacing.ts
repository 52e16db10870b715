/**
 * Back-pressure for answers over HTTP/2.
 *
 * The pinned runtime completes every write to an HTTP/2 stream at once, whatever the peer's flow-control window says, and
 * keeps the bytes in memory (denoland/deno#36044, mended in versions that crash under load). One reader that stalls would
 * make the server swallow a whole log. So this counts what has really been framed: it watches the frames that leave through
 * the session's socket, and lets a stream go on only when little of it is left behind.
 *
 *   answer ──► stream ──► [frames wait for the peer's window] ──► socket.write ──► wire
 *       written                                              framed
 */
import type { Http2Session, ServerHttp2Stream } from "node:http2";
import type { TLSSocket } from "node:tls";

/** What one stream, and what a connection's socket, may hold back. */
const MAX_HELD_BYTES = 256 * 1024;

/**
 * After this much a stream lets everything else have a turn. Writes are completed by `setImmediate`, whose callbacks keep
 * those of other streams from running as long as new ones come: one busy log would hold up all calls of its connection.
 */
const TURN_BYTES = 256 * 1024;

const FRAME_HEADER_BYTES = 9;
const FRAME_TYPE_DATA = 0;

interface Lane {
  written: number;
  framed: number;
  /** Goes on with the writer, if it waits. */
  resume: (() => void) | undefined;
}

/** The streams of one connection. */
export class Http2Pacer {
  readonly #lanes = new Map<number, Lane>();
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES);
  #headerBytes = 0;
  #payloadBytes = 0;

  /** @param socket of a connection on which nothing has been written yet */
  constructor(readonly socket: TLSSocket) {
    const write = socket.write.bind(socket);
    // The session hands each frame to this method of its socket.
    socket.write = ((chunk: Uint8Array, ...rest: []) => {
      this.#follow(chunk);
      return write(chunk, ...rest);
    }) as typeof socket.write;
    const resumeAll = () => this.#lanes.forEach((lane) => lane.resume?.());
    socket.on("drain", resumeAll);
    socket.once("close", resumeAll);
  }

  /** The chunks, each no sooner than the one before has mostly left. */
  async *pace(chunks: AsyncIterable<Uint8Array>, stream: ServerHttp2Stream): AsyncGenerator<Uint8Array> {
    const { id } = stream;
    if (id === undefined) return;
    const lane: Lane = { written: 0, framed: 0, resume: undefined };
    this.#lanes.set(id, lane);
    const resume = () => lane.resume?.();
    stream.once("close", resume);
    let turnBytes = 0;
    try {
      for await (const chunk of chunks) {
        lane.written += chunk.length;
        turnBytes += chunk.length;
        yield chunk;
        if (turnBytes >= TURN_BYTES) {
          turnBytes = 0;
          // Timers have a turn of their own in the event loop; nothing is waited for.
          await new Promise((resolve) => setTimeout(resolve, 0));
        }
        while (this.#isFull(lane) && !stream.destroyed && !this.socket.destroyed) {
          await new Promise<void>((resolve) => lane.resume = resolve);
          lane.resume = undefined;
        }
      }
    } finally {
      stream.off("close", resume);
      this.#lanes.delete(id);
    }
  }

  #isFull(lane: Lane): boolean {
    return lane.written - lane.framed > MAX_HELD_BYTES || this.socket.writableLength > MAX_HELD_BYTES;
  }

  /** Reads frame headers (RFC 9113, 4.1) and skips what they head; both may come in pieces. */
  #follow(chunk: Uint8Array): void {
    for (let offset = 0; offset < chunk.length;) {
      if (this.#payloadBytes > 0) {
        const skipped = Math.min(this.#payloadBytes, chunk.length - offset);
        this.#payloadBytes -= skipped;
        offset += skipped;
        continue;
      }
      this.#header[this.#headerBytes++] = chunk[offset++]!;
      if (this.#headerBytes < FRAME_HEADER_BYTES) continue;
      this.#headerBytes = 0;
      const view = new DataView(this.#header.buffer);
      this.#payloadBytes = view.getUint32(0) >>> 8;
      if (view.getUint8(3) === FRAME_TYPE_DATA) this.#framed(view.getUint32(5) & 0x7fff_ffff, this.#payloadBytes);
    }
  }

  #framed(id: number, bytes: number): void {
    const lane = this.#lanes.get(id);
    if (lane === undefined) return;
    lane.framed += bytes;
    if (lane.resume !== undefined && !this.#isFull(lane)) lane.resume();
  }
}

/** Finds the pacer of a session. */
export class Http2Pacers {
  readonly #bySession = new WeakMap<Http2Session, Http2Pacer>();
  #next: Http2Pacer | undefined;

  /** To be told of a connection before its session is made, in the same turn as `sessionMade`. */
  connected(socket: TLSSocket): void {
    this.#next = new Http2Pacer(socket);
  }

  sessionMade(session: Http2Session): void {
    if (this.#next === undefined) throw new Error("Cannot pace an HTTP/2 session: its socket is not known");
    this.#bySession.set(session, this.#next);
    this.#next = undefined;
  }

  of(session: Http2Session | undefined): Http2Pacer | undefined {
    return session && this.#bySession.get(session);
  }
}
