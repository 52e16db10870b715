/** From node's requests to RPC handlers and back; an error on one request ends that request only. */
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { IncomingMessage, ServerResponse } from "node:http";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type ConnectRouterOptions,
  createConnectRouter,
} from "@connectrpc/connect";
import type { ContextValues } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { Logger } from "../../core/std_log.ts";
import { withPlainMessage } from "./grpc_message.ts";
import type { Http2Pacers } from "./http2_pacing.ts";

export type Request = IncomingMessage | Http2ServerRequest;
export type Response = ServerResponse | Http2ServerResponse;

export interface RpcHandlerOptions extends ConnectRouterOptions {
  readonly routes: (router: ConnectRouter) => void;
  readonly contextValues: (request: Request) => ContextValues;
  readonly pacers: Http2Pacers;
  readonly log: Logger;
}

/** Answers requests; unknown paths with 404, requests that can't be read with 400. Never throws. */
export function createRpcHandler(options: RpcHandlerOptions): (request: Request, response: Response) => void {
  const router = createConnectRouter({ acceptCompression: [compressionGzip, compressionBrotli], ...options });
  options.routes(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  const answer = async (request: Request, response: Response) => {
    const handler = handlers.get(request.url?.split("?", 1)[0] ?? "");
    if (handler === undefined) return answerPlainly(response, 404);
    const universal = readRequest(request, response, options.contextValues(request));
    if (universal === undefined) return answerPlainly(response, 400);
    const result = endedWith(response, withPlainMessage(await handler(universal)), options.log);
    await universalResponseToNodeResponse(paced(result, request, options.pacers), response);
  };

  return (request, response) => {
    // A reset by the client comes as an event, with nobody else listening once the request was read.
    const note = (error: unknown) => options.log.debug("Request broke off", { error: String(error) });
    request.on("error", note);
    response.on("error", note);
    answer(request, response).catch((error: unknown) => {
      // The client has gone in the middle of an answer, or the handler let an error through that it should have mapped.
      const isGone = error instanceof ConnectError && (error.code === Code.Aborted || response.destroyed !== false);
      if (isGone || hasErrno(error)) note(error);
      else options.log.error("Answer failed", { url: request.url, error: String(error) });
      response.destroy();
    });
  };
}

/** An answer without a body. */
export function answerPlainly(response: Response, status: number): void {
  response.statusCode = status;
  response.end();
}

/** Undefined for a request whose authority and path make no URL. */
function readRequest(request: Request, response: Response, values: ContextValues) {
  try {
    return universalRequestFromNodeRequest(request, response, undefined, values);
  } catch (error) {
    if (error instanceof TypeError || error instanceof ConnectError) return undefined;
    throw error;
  }
}

/**
 * Ends the answer's source with its connection. A write that was under way when the connection went may never call back, and
 * then nobody would come for the next message, nor for the end.
 */
function endedWith(response: Response, result: UniversalServerResponse, log: Logger): UniversalServerResponse {
  if (result.body === undefined) return result;
  const messages = result.body[Symbol.asyncIterator]();
  response.once("close", () => {
    messages.return?.().catch((error: unknown) => log.debug("Request broke off", { error: String(error) }));
  });
  return { ...result, body: { [Symbol.asyncIterator]: () => messages } };
}

function paced(result: UniversalServerResponse, request: Request, pacers: Http2Pacers): UniversalServerResponse {
  if (!("stream" in request) || result.body === undefined) return result;
  const pacer = pacers.of(request.stream.session);
  return pacer === undefined ? result : { ...result, body: pacer.pace(result.body, request.stream) };
}

/** EPIPE, ECONNRESET and their like: the wire is cut. */
function hasErrno(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause ?? error : undefined;
  return cause instanceof Error && "errno" in cause;
}
