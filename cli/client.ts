import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { JobService } from "../proto/gen/joblet/v1/job_pb.ts";
import type { ClientNode } from "./client_config.ts";
import type { Connection } from "./context.ts";
import { CliError, UnreachableError } from "./errors.ts";

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
    http = Deno.createHttpClient({ cert: node.cert, key: node.key, caCerts: [node.ca], http2: false });
  } catch (cause) {
    throw new CliError(`Cannot use the certificate of node '${node.name}': it or its key is damaged`, 1, { cause });
  }
  const transport = createConnectTransport({
    baseUrl: `https://${node.address}`,
    useBinaryFormat: true,
    fetch: (input, init = {}) =>
      reach(node.address, init, (checked) => {
        const options: RequestInit & { client: Deno.HttpClient } = { ...checked, client: http };
        return fetch(input, options);
      }),
  });
  return {
    jobs: createClient(JobService, transport),
    address: node.address,
    [Symbol.dispose]: () => http.close(),
  };
}

/**
 * Sends a request. While there is no answer, it asks once whether anybody listens at all: the runtime's fetch would wait for
 * minutes for a host that is off, and a stream has no deadline.
 * @throws {ConnectError} caused by an UnreachableError if no connection came about
 */
export async function reach(
  address: string,
  init: RequestInit,
  send: (options: RequestInit) => Promise<Response>,
): Promise<Response> {
  const absent = new AbortController();
  const timer = setTimeout(async () => {
    if (!await isListening(address, CONNECT_TIMEOUT_MS - PATIENCE_MS)) absent.abort();
  }, PATIENCE_MS);
  try {
    const signal = init.signal ? AbortSignal.any([init.signal, absent.signal]) : absent.signal;
    return await send({ ...init, signal });
  } catch (error) {
    if (absent.signal.aborted) throw unreachable("timed out", error);
    if (error instanceof TypeError) throw unreachable(causesOf(error), error);
    throw error;
  } finally {
    clearTimeout(timer);
  }
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

/** Whether anything accepts connections at host:port, asked for at most `timeoutMs`. */
export async function isListening(address: string, timeoutMs = CONNECT_TIMEOUT_MS): Promise<boolean> {
  const { hostname, port } = splitAddress(address);
  try {
    const socket = await Deno.connect({ hostname, port, signal: AbortSignal.timeout(timeoutMs) });
    socket.close();
    return true;
  } catch (error) {
    // Refused, unreachable, unknown name, timed out: nobody is there, whatever the reason.
    if (error instanceof Error) return false;
    throw error;
  }
}

/** "host:port" or "[::1]:port". @throws {CliError} */
export function splitAddress(address: string): { readonly hostname: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:]+)):(\d{1,5})$/.exec(address);
  if (!match) throw new CliError(`Cannot use the address '${address}': it must look like HOST:PORT`);
  return { hostname: match[1] ?? match[2]!, port: Number(match[3]) };
}
