/** Who is at the other end of each connection, and the end of those whose certificate is not good any more. */
import { X509Certificate } from "node:crypto";
import type { Http2ServerRequest, ServerHttp2Session } from "node:http2";
import type { IncomingMessage } from "node:http";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import type { Logger } from "../../core/std_log.ts";
import type { PeerLookup } from "./context.ts";
import { AuthError, identify, type Identity } from "./identity.ts";
import type { RoleMap, RoleSource } from "./role.ts";
import { assertTrusted, type Trust } from "./trust.ts";

type Outcome = { readonly identity: Identity } | { readonly error: AuthError };

/** One connection that took the TLS stack's verification. */
interface Peer {
  readonly socket: TLSSocket;
  /** Absent for HTTP/1.1. */
  session?: ServerHttp2Session;
  readonly certificate: DetailedPeerCertificate;
  /** Why it must not be served, whoever it is. */
  readonly refusal?: string;
  /** Infinity if there is nothing to read: such a peer is nobody. */
  readonly expiresAtMs: number;
  /** Kept until what is trusted changes. */
  outcome?: Outcome;
}

/** Where roles come from. */
export interface PeerOptions {
  readonly sources: readonly RoleSource[];
  /** @default none */
  readonly roles?: RoleMap | undefined;
  /** Those that may be settled on, by their standard names. @default all of TLS 1.3 */
  readonly cipherSuites?: readonly string[] | undefined;
}

/** The runtime's timers take no more. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Knows the caller of each request by its connection's certificate, and ends connections when that stops being good. */
export class Peers implements Disposable {
  readonly #bySocket = new Map<object, Peer>();
  readonly #bySession = new WeakMap<object, Peer>();
  /** The connection whose session is about to be made. */
  #last: Peer | undefined;
  #trust: Trust;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAtMs = Infinity;

  constructor(readonly options: PeerOptions, trust: Trust, readonly log: Logger) {
    this.#trust = trust;
  }

  /** To be told of each connection, before its session is made. */
  connected(socket: TLSSocket): void {
    const certificate = socket.getPeerCertificate(true);
    const end = Date.parse(certificate?.valid_to ?? "");
    const refusal = this.#suiteRefusal(socket);
    const peer: Peer = {
      socket,
      certificate,
      expiresAtMs: Number.isNaN(end) ? Infinity : end,
      ...(refusal !== undefined && { refusal }),
    };
    this.#bySocket.set(socket, peer);
    this.#last = peer;
    socket.once("close", () => this.#bySocket.delete(socket));
    this.#arm(peer.expiresAtMs);
    if (refusal !== undefined) this.#end(peer, refusal);
  }

  /** The TLS stack takes whatever suite the client prefers, so what may not be is looked at afterwards. */
  #suiteRefusal(socket: TLSSocket): string | undefined {
    const { cipherSuites } = this.options;
    if (cipherSuites === undefined) return undefined;
    const { standardName } = socket.getCipher();
    return cipherSuites.includes(standardName) ? undefined : `its cipher suite ${standardName} is not allowed here`;
  }

  /** To be told of each HTTP/2 session, right after its connection. */
  sessionMade(session: ServerHttp2Session): void {
    const peer = this.#last;
    if (peer === undefined) return;
    peer.session = session;
    this.#bySession.set(session, peer);
  }

  /** What to hand to the interceptors; asked for only when the call gets that far. */
  lookup(request: IncomingMessage | Http2ServerRequest): PeerLookup {
    return () => {
      const session = "stream" in request ? request.stream.session : undefined;
      const peer = session ? this.#bySession.get(session) : this.#bySocket.get(request.socket);
      if (peer === undefined) throw new AuthError("unauthenticated", "Cannot accept the connection: it is ending");
      const outcome = peer.outcome ??= this.#identify(peer);
      if ("error" in outcome) throw outcome.error;
      return outcome.identity;
    };
  }

  /** Takes over what is trusted from now on, and ends the connections of those who are not. */
  set trust(trust: Trust) {
    this.#trust = trust;
    for (const peer of this.#bySocket.values()) {
      delete peer.outcome;
      try {
        if (peer.certificate?.raw) assertTrusted(new X509Certificate(peer.certificate.raw), trust);
      } catch (error) {
        if (!(error instanceof AuthError)) throw error;
        this.#end(peer, error.message);
      }
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #identify({ socket, certificate, refusal }: Peer): Outcome {
    if (refusal !== undefined) {
      return { error: new AuthError("unauthenticated", `Cannot accept the connection: ${refusal}`) };
    }
    // The handshake has failed already for a client that was not authorized: this must never be true here.
    if (socket.authorized !== true) {
      return { error: new AuthError("unauthenticated", "Cannot accept the connection: its client is not verified") };
    }
    if (!certificate?.raw) {
      return { error: new AuthError("unauthenticated", "Cannot accept the connection: it has no client certificate") };
    }
    try {
      const identity = identify(certificate, this.options.sources, this.options.roles);
      assertTrusted(new X509Certificate(certificate.raw), this.#trust, identity);
      return { identity };
    } catch (error) {
      if (error instanceof AuthError) return { error };
      throw error;
    }
  }

  /** One timer, for the certificate that ends first. */
  #arm(atMs: number): void {
    if (atMs >= this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    // A millisecond later, as a certificate is good up to its last one.
    const delay = Math.min(Math.max(atMs + 1 - Date.now(), 0), MAX_TIMER_MS);
    this.#timer = setTimeout(() => this.#endExpired(), delay);
  }

  #endExpired(): void {
    this.#timerAtMs = Infinity;
    const now = Date.now();
    let next = Infinity;
    for (const peer of this.#bySocket.values()) {
      if (peer.expiresAtMs < now) this.#end(peer, "its client certificate has expired");
      else next = Math.min(next, peer.expiresAtMs);
    }
    this.#arm(next);
  }

  #end({ socket, session, certificate }: Peer, reason: string): void {
    this.log.info("Connection ended", { serial: certificate.serialNumber, address: socket.remoteAddress, reason });
    if (session) session.destroy();
    socket.destroy();
  }
}
