/** A server on a free port over a fake engine, and ways to call it. */
import { connect as tcpConnect, type Socket } from "node:net";
import { connect as tlsConnect, type ConnectionOptions } from "node:tls";
import type { Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import type { CallEntry } from "../audit/record.ts";
import { ROLE_SOURCES } from "../auth/role.ts";
import { type RunningServer, type ServerOptions, startServer } from "../server/tls_server.ts";
import { createTestAuthority, type TestAuthority } from "./certificates.ts";
import { FakeEngine } from "./fake_engine.ts";

/** What a client presents. */
export interface ClientPair {
  readonly cert: string;
  readonly key: string;
}

/** Ends the server, and what its clients left open, at the end of a scope. */
export class TestServer implements AsyncDisposable {
  readonly #sessions: Http2SessionManager[] = [];
  readonly #sockets: Socket[] = [];

  private constructor(
    readonly running: RunningServer,
    readonly engine: FakeEngine,
    readonly authority: TestAuthority,
    /** What the audit log would hold. */
    readonly records: readonly CallEntry[],
  ) {}

  /** @param more of its configuration */
  static async start(
    authority?: TestAuthority,
    more: Partial<ServerOptions["config"]> = {},
  ): Promise<TestServer> {
    const trusted = authority ?? await createTestAuthority();
    const engine = new FakeEngine();
    const config = { address: "127.0.0.1", port: 0, tls: trusted.tls, roleSources: ROLE_SOURCES, ...more };
    const records: CallEntry[] = [];
    const audit = { record: (call: CallEntry) => void records.push(call), assertWritable: () => {} };
    return new TestServer(await startServer({ engine, config, audit }), engine, trusted, records);
  }

  get port(): number {
    return this.running.port;
  }

  get url(): string {
    return `https://localhost:${this.port}`;
  }

  nodeOptions(client: ClientPair) {
    return { ca: this.authority.tls.ca, cert: client.cert, key: client.key };
  }

  grpc(client: ClientPair): Transport {
    return createGrpcTransport({ baseUrl: this.url, sessionManager: this.session(client) });
  }

  transports(client: ClientPair): Record<string, Transport> {
    const nodeOptions = { ...this.nodeOptions(client), agent: false as const };
    const baseUrl = this.url;
    return {
      "gRPC": this.grpc(client),
      "gRPC-web over HTTP/2": createGrpcWebTransport({
        baseUrl,
        httpVersion: "2",
        sessionManager: this.session(client),
      }),
      "gRPC-web over HTTP/1.1": createGrpcWebTransport({ baseUrl, httpVersion: "1.1", nodeOptions }),
      "Connect over HTTP/2": createConnectTransport({
        baseUrl,
        httpVersion: "2",
        sessionManager: this.session(client),
      }),
      "Connect over HTTP/1.1": createConnectTransport({ baseUrl, httpVersion: "1.1", nodeOptions }),
      "Connect with JSON": createConnectTransport({
        baseUrl,
        httpVersion: "1.1",
        nodeOptions,
        useBinaryFormat: false,
      }),
    };
  }

  /** The connection of one client. */
  session(client: ClientPair): Http2SessionManager {
    const manager = new Http2SessionManager(this.url, {}, this.nodeOptions(client));
    this.#sessions.push(manager);
    return manager;
  }

  /** A TLS connection that speaks nothing yet. */
  tls(options: Partial<ConnectionOptions>): Socket {
    const { port, authority } = this;
    const socket = tlsConnect({ host: "127.0.0.1", port, ca: authority.tls.ca, servername: "joblet", ...options });
    this.#sockets.push(socket);
    return socket;
  }

  tcp(): Socket {
    const socket = tcpConnect(this.port, "127.0.0.1");
    this.#sockets.push(socket);
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions) session.abort();
    for (const socket of this.#sockets) socket.destroy();
    await this.running.close(0);
  }
}

/** Writes after the handshake and tells what came of it: the first line of an answer, an error code, or "closed". */
export function exchange(socket: Socket, ready: "connect" | "secureConnect", bytes: string | Uint8Array) {
  return new Promise<string>((resolve) => {
    socket.once(ready, () => socket.write(bytes));
    socket.once("data", (data: Uint8Array) => resolve(new TextDecoder().decode(data).split("\r\n")[0]!));
    socket.once("error", (error: Error & { readonly code?: string }) => resolve(error.code ?? error.message));
    socket.once("close", () => resolve("closed"));
  }).finally(() => socket.destroy());
}
