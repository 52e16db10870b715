/** Who is at the other end of a connection, found out once a connection. */
import type { Http2ServerRequest } from "node:http2";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { PeerLookup } from "./context.ts";
import { AuthError, identify, type Identity } from "./identity.ts";
import type { RoleSource } from "./role.ts";

type Outcome = { readonly identity: Identity } | { readonly error: AuthError };

/** Looks up the caller of a request by its connection's certificate, which took the TLS stack's verification already. */
export class Peers {
  /** By connection: an http2 session, or the socket of HTTP/1.1. */
  readonly #known = new WeakMap<object, Outcome>();

  constructor(readonly sources: readonly RoleSource[]) {}

  /** What to hand to the interceptors; asked for only when the call gets that far. */
  lookup(request: IncomingMessage | Http2ServerRequest): PeerLookup {
    return () => {
      const connection = ("stream" in request ? request.stream.session : undefined) ?? request.socket;
      let outcome = this.#known.get(connection);
      if (outcome === undefined) {
        outcome = this.#identify(request.socket as TLSSocket);
        this.#known.set(connection, outcome);
      }
      if ("error" in outcome) throw outcome.error;
      return outcome.identity;
    };
  }

  #identify(socket: TLSSocket): Outcome {
    // The handshake has failed already for a client that was not authorized: this must never be true here.
    if (socket.authorized !== true) {
      return { error: new AuthError("unauthenticated", "Cannot accept the connection: its client is not verified") };
    }
    const certificate = socket.getPeerCertificate(true);
    if (!certificate?.raw) {
      return { error: new AuthError("unauthenticated", "Cannot accept the connection: it has no client certificate") };
    }
    try {
      return { identity: identify(certificate, this.sources) };
    } catch (error) {
      if (error instanceof AuthError) return { error };
      throw error;
    }
  }
}
