/** The open connections of a server, so that it can end them. */
import type { Http2SecureServer, ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Logger } from "../../core/std_log.ts";
import type { Peers } from "../auth/peer.ts";
import type { Http2Pacers } from "./http2_pacing.ts";

/** Send a packet after this long without one, so that connections to hosts that are gone end. */
const KEEP_ALIVE_MS = 30_000;
/** Room for one session's flow control: a window of 64 KiB makes uploads wait for each round trip. */
const SESSION_WINDOW_BYTES = 32 << 20;

/** Follows the connections of one server and takes care that an error on any of them ends only that one. */
export class Connections {
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  /** Requests under way by connection of HTTP/1.1. */
  readonly #requests = new Map<Socket, number>();
  #draining = false;

  constructor(server: Http2SecureServer, pacers: Http2Pacers, peers: Peers, log: Logger) {
    // Not an error for this server: a scanner, a client without certificate, a wire that was cut. An event without a
    // listener would end the process.
    const note = (error: Error) => log.debug("Connection failed", { error: error.message });
    const follow = (socket: Socket) => {
      if (this.#sockets.has(socket)) return;
      this.#sockets.add(socket);
      socket.on("error", note);
      socket.once("close", () => {
        this.#sockets.delete(socket);
        this.#requests.delete(socket);
      });
    };
    server.on("connection", follow);
    // Before the server's own listener, which makes the session and writes its first frames.
    server.prependListener("secureConnection", (socket: TLSSocket) => {
      follow(socket);
      peers.connected(socket);
      if (socket.alpnProtocol === "h2") pacers.connected(socket);
      else this.#requests.set(socket, 0);
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      socket.setNoDelay(true);
    });
    server.on("session", (session) => {
      pacers.sessionMade(session);
      peers.sessionMade(session);
      this.#sessions.add(session);
      session.on("error", note);
      session.once("close", () => this.#sessions.delete(session));
      session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    });
    for (const event of ["tlsClientError", "clientError", "sessionError", "error"]) server.on(event, note);
    server.on("clientError", (_error: Error, socket: Socket) => socket.destroy());
  }

  /** To be told of each request of HTTP/1.1: its connection knows no end of its own. */
  requestStarted(socket: Socket): void {
    this.#requests.set(socket, (this.#requests.get(socket) ?? 0) + 1);
  }

  requestEnded(socket: Socket): void {
    const left = (this.#requests.get(socket) ?? 1) - 1;
    this.#requests.set(socket, left);
    // Not destroy: the answer may still be on its way.
    if (left === 0 && this.#draining) socket.end();
  }

  /** Ends what is idle now, the rest when its last answer is out. */
  drain(): void {
    this.#draining = true;
    for (const session of this.#sessions) session.close();
    for (const [socket, requests] of this.#requests) if (requests === 0) socket.end();
  }

  /** Ends everything. */
  destroy(): void {
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }
}
