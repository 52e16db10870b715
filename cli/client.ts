import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { JobService } from "../proto/gen/joblet/v1/job_pb.ts";
import type { ClientNode } from "./client_config.ts";
import type { Connection } from "./context.ts";
import { CliError, UnreachableError } from "./errors.ts";
import { isHandshakeFailure, ownCertificateError } from "./own_certificate.ts";

const CONNECT_TIMEOUT_MS = 2000;
/** An answer that takes longer makes one ask whether there is a server. */
const PATIENCE_MS = 1000;

/**
 * Connects by Connect over HTTP/1.1: over HTTP/2 the runtime's fetch leaves Nagle's algorithm on, which costs 40 ms in
 * many calls. @throws {CliError} the node's certificate or address is unusable
 */
export function connectTo(node: ClientNode): Connection {
  let http: Deno.HttpClient;
  try {
    const caCerts = splitPem(node.ca);
    http = Deno.createHttpClient({ cert: node.cert, key: node.key, caCerts, http2: false });
  } catch (cause) {
    throw new CliError(`Cannot use the certificate of node '${node.name}': it or its key is damaged`, 1, { cause });
  }
  const transport = createConnectTransport({
    baseUrl: `https://${node.address}`,
    useBinaryFormat: true,
    fetch: async (input, init = {}) => {
      try {
        return await reach(node.address, init, (checked) => fetchOnce(input, { ...checked, client: http }));
      } catch (error) {
        throw isHandshakeFailure(error) ? ownCertificateError(node, Date.now()) ?? error : error;
      }
    },
  });
  return {
    jobs: createClient(JobService, transport),
    address: node.address,
    nodeId: node.nodeId,
    [Symbol.dispose]: () => http.close(),
  };
}

/** The certificates of a PEM text, each as one of its own. */
function splitPem(text: string): string[] {
  return text.match(/^-----BEGIN CERTIFICATE-----$[^-]*^-----END CERTIFICATE-----$/gm) ?? [text];
}

/**
 * fetch, but never sent twice: the runtime sends a body that it has at hand again by itself if the connection breaks, and
 * then tells of the second try only. A stream it can't send again.
 */
export function fetchOnce(input: RequestInfo | URL, init: RequestInit & { client?: Deno.HttpClient }) {
  const { body } = init;
  if (!(body instanceof Uint8Array)) return fetch(input, init);
  return fetch(input, { ...init, body: ReadableStream.from([body]) });
}

/**
 * Sends a request. While there is no answer, it asks once whether the host is there at all: the runtime's fetch would wait
 * for minutes for one that is off, and a stream has no deadline.
 * @throws {ConnectError} UNAVAILABLE; caused by an UnreachableError if no connection came about
 */
export async function reach(
  address: string,
  init: RequestInit,
  send: (options: RequestInit) => Promise<Response>,
  ask: (address: string, timeoutMs: number) => Promise<Presence> = presenceOf,
): Promise<Response> {
  const absent = new AbortController();
  const timer = setTimeout(async () => {
    // A host that refuses now has accepted before: a server that closes still answers what it took on.
    if (await ask(address, CONNECT_TIMEOUT_MS - PATIENCE_MS) === "silent") absent.abort();
  }, PATIENCE_MS);
  try {
    const signal = init.signal ? AbortSignal.any([init.signal, absent.signal]) : absent.signal;
    return await send({ ...init, signal });
  } catch (error) {
    if (absent.signal.aborted) throw unreachable("timed out", error);
    if (error instanceof TypeError) throw failure(error);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Past the handshake the server may have seen the request, even if no answer came back. */
function failure(error: TypeError): ConnectError {
  const reason = causesOf(error);
  const sent = /\(SendRequest\)|peer closed connection|error reading a body/.test(reason);
  return sent ? new ConnectError(reason, Code.Unavailable, undefined, undefined, error) : unreachable(reason, error);
}

function unreachable(reason: string, cause: unknown): ConnectError {
  const found = new UnreachableError(reason, { cause });
  return new ConnectError(reason, Code.Unavailable, undefined, undefined, found);
}

/** All messages, as fetch hides the reason in the cause of its error. */
function causesOf(error: unknown): string {
  const texts: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) texts.push(at.message.split("\n", 1)[0]!);
  return texts.join(": ");
}

/** What a host does with a connection to a port; "silent" if it is unknown or can't be reached as well. */
export type Presence = "listening" | "refused" | "silent";

async function presenceOf(address: string, timeoutMs: number): Promise<Presence> {
  const { hostname, port } = splitAddress(address);
  try {
    const socket = await Deno.connect({ hostname, port, signal: AbortSignal.timeout(timeoutMs) });
    socket.close();
    return "listening";
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return "refused";
    if (error instanceof Error) return "silent";
    throw error;
  }
}

/** Whether anything accepts connections at host:port, asked for at most `timeoutMs`. */
export async function isListening(address: string, timeoutMs = CONNECT_TIMEOUT_MS): Promise<boolean> {
  return await presenceOf(address, timeoutMs) === "listening";
}

/** "host:port" or "[::1]:port". @throws {CliError} */
export function splitAddress(address: string): { readonly hostname: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:]+)):(\d{1,5})$/.exec(address);
  if (!match) throw new CliError(`Cannot use the address '${address}': it must look like HOST:PORT`);
  return { hostname: match[1] ?? match[2]!, port: Number(match[3]) };
}
