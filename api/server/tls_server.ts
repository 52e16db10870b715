/** One port for gRPC, gRPC-web and Connect, over HTTP/2 and HTTP/1.1, behind mutual TLS 1.3. */
import { createSecureServer, type Http2SecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import { EngineError } from "../../core/errors.ts";
import type { Engine } from "../../core/jobs/engine.ts";
import { getLogger, type Logger } from "../../core/std_log.ts";
import type { AuditSink } from "../audit/interceptors.ts";
import type { ServerConfig } from "../config/config.ts";
import type { TlsConfig } from "../config/tls_config.ts";
import { Connections } from "./connections.ts";
import { peerAddressKey, peerKey } from "../auth/context.ts";
import { Http2Pacers } from "./http2_pacing.ts";
import { createInterceptors } from "./interceptors.ts";
import { Peers } from "../auth/peer.ts";
import { createRoutes } from "./routes.ts";
import { answerPlainly, createRpcHandler, type Request, type Response } from "./rpc_handler.ts";
import { assertRefusesStrangers } from "./stranger_check.ts";
import { assertUsableTls } from "./tls_material.ts";

/** Largest request message; answers are bounded by what the engine hands out. */
const READ_MAX_BYTES = 4 << 20;
const MAX_CONNECTIONS = 1024;
const HANDSHAKE_TIMEOUT_MS = 10_000;

const HTTP2_LIMITS = {
  // MiB for all streams of a session together.
  maxSessionMemory: 64,
  settings: {
    initialWindowSize: 16 << 20,
    maxFrameSize: 1 << 18,
    maxConcurrentStreams: 1000,
    maxHeaderListSize: 64 << 10,
  },
} as const;

export interface ServerOptions {
  readonly engine: Engine;
  /** Of the engine's part nothing is used. */
  readonly config:
    & Pick<ServerConfig, "address" | "port" | "tls" | "roleSources">
    & Partial<Pick<ServerConfig, "usersMay" | "nodeId" | "roleMap" | "hideForeignJobs" | "cipherSuites">>;
  /** Takes the records of calls. @default none */
  readonly audit?: AuditSink;
  /** @default {getLogger("api")} */
  readonly log?: Logger;
}

export interface RunningServer {
  readonly address: string;
  readonly port: number;
  /**
   * Stops accepting, ends the streams with UNAVAILABLE and lets unary calls finish; what is still open after the grace is
   * cut off. Idempotent; a later call with less grace shortens it.
   */
  close(graceMs: number): Promise<void>;
  /**
   * Takes over other certificates, CAs and revocation lists: for new connections at once; open ones whose client is not
   * trusted any more are ended. @throws {EngineError} if they can't be used: the old ones stay
   */
  useTls(tls: TlsConfig): void;
}

/** Opens the port. Resolves once it is proven that strangers are refused. @throws {EngineError} with the cure */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { config, log = getLogger("api") } = options;
  const trust = assertUsableTls(config.tls, Date.now());
  const shutdown = new AbortController();
  let ready = false;
  const server: Http2SecureServer = createSecureServer({
    ...contextOf(config.tls),
    requestCert: true,
    rejectUnauthorized: true,
    allowHTTP1: true,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    ...HTTP2_LIMITS,
  });
  server.maxConnections = MAX_CONNECTIONS;
  const pacers = new Http2Pacers();
  const { roleSources: sources, roleMap: roles, cipherSuites } = config;
  const peers = new Peers({ sources, roles, cipherSuites }, trust, log);
  const connections = new Connections(server, pacers, peers, log);
  const handle = createHandler(options, pacers, peers, shutdown.signal, log);
  server.on("request", (request: Request, response: Response) => {
    if (!("stream" in request)) {
      connections.requestStarted(request.socket);
      response.once("close", () => connections.requestEnded(request.socket));
    }
    if (ready) handle(request, response);
    else answerPlainly(response, 503);
  });
  const { address, port } = await listen(server, config.address, config.port);
  const close = closer(server, connections, peers, shutdown);
  try {
    await assertRefusesStrangers(dialable(address), port, config.tls.ca);
  } catch (error) {
    await close(0);
    throw error;
  }
  ready = true;
  const useTls = (tls: TlsConfig) => {
    const trusted = assertUsableTls(tls, Date.now());
    server.setSecureContext(contextOf(tls));
    peers.trust = trusted;
  };
  return { address, port, close, useTls };
}

/** What the TLS stack takes of it, the version too, which a new context would forget; revocation lists it would ignore. */
function contextOf({ cert, key, ca }: TlsConfig) {
  return { cert, key, ca, minVersion: "TLSv1.3" } as const;
}

function createHandler(
  { engine, config, audit }: ServerOptions,
  pacers: Http2Pacers,
  peers: Peers,
  shutdown: AbortSignal,
  log: Logger,
) {
  return createRpcHandler({
    routes: createRoutes(engine, config),
    interceptors: createInterceptors(log, {
      ...(audit && { audit }),
      hideForeignJobs: config.hideForeignJobs ?? false,
    }),
    contextValues: (request) =>
      createContextValues().set(peerKey, peers.lookup(request)).set(peerAddressKey, addressOf(request)),
    readMaxBytes: READ_MAX_BYTES,
    // Compressed requests are read; answers are not compressed, as that would slow output down to 45 MB/s.
    compressMinBytes: 0xffff_ffff,
    shutdownSignal: shutdown,
    pacers,
    log,
  });
}

function addressOf({ socket }: Request): string {
  const { remoteAddress = "", remotePort = 0 } = socket;
  return remoteAddress.includes(":") ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}

function listen(server: Http2SecureServer, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: Error & { readonly code?: string }) => {
      reject(new EngineError("precondition", `Cannot listen on ${host}:${port}: ${whyNot(error)}`, { cause: error }));
    });
    // A server on TCP has an address of this form, never a path.
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

function whyNot(error: Error & { readonly code?: string }): string {
  if (error.code === "EADDRINUSE") {
    return "the port is in use; stop what uses it or change server.port; if nothing does, a connection was given it: try " +
      "again in a minute, and keep it by sysctl net.ipv4.ip_local_reserved_ports";
  }
  if (error.code === "EADDRNOTAVAIL") return "this host does not have the address; change server.address";
  if (error.code === "EACCES") return "ports below 1024 need root";
  return error.message;
}

/** An address to reach oneself: a wildcard is none. */
function dialable(address: string): string {
  if (address === "0.0.0.0") return "127.0.0.1";
  return address === "::" ? "::1" : address;
}

function closer(server: Http2SecureServer, connections: Connections, peers: Peers, shutdown: AbortController) {
  let closed: Promise<void> | undefined;
  return async (graceMs: number): Promise<void> => {
    closed ??= new Promise((resolve) => {
      server.close(() => resolve());
      shutdown.abort(new ConnectError("Server is shutting down", Code.Unavailable));
      connections.drain();
    });
    const timer = setTimeout(() => connections.destroy(), graceMs);
    try {
      await closed;
    } finally {
      clearTimeout(timer);
      peers[Symbol.dispose]();
    }
  };
}
