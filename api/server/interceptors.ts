/**
 * What every call passes, unary and streaming alike, from the outside in:
 *
 *   errors -> request log -> what is not to be seen -> audit -> identity -> policy -> room for the record -> handler
 *
 * The audit log stands before identity and policy, so that it sees what they refuse.
 */
import { Code, type Interceptor } from "@connectrpc/connect";
import { getLogger, type Logger } from "../../core/std_log.ts";
import { type AuditSink, noteRequested, recordCalls, refuseUnrecorded } from "../audit/interceptors.ts";
import { identityKey, peerKey, requestIdKey } from "../auth/context.ts";
import { codeOf, isExpected, toConnectError } from "./errors.ts";
import { assertStillValid, AuthError } from "../auth/identity.ts";
import { mayCall } from "../auth/policy.ts";
import { hideForeign } from "./hide_foreign.ts";

export interface InterceptorOptions {
  /** @default none */
  readonly audit?: AuditSink;
  /** Answer as if there were no job where it is somebody else's. @default {false} */
  readonly hideForeignJobs?: boolean;
}

/** The interceptors in their order. @param log takes a line for each call. @default {getLogger("api")} */
export function createInterceptors(log: Logger = getLogger("api"), options: InterceptorOptions = {}): Interceptor[] {
  const { audit, hideForeignJobs = false } = options;
  return [
    mapErrors(log),
    logRequests(log),
    noteRequested,
    ...(hideForeignJobs ? [hideForeign] : []),
    ...(audit ? [recordCalls(audit, codeOf)] : []),
    identifyCaller,
    enforcePolicy,
    ...(audit ? [refuseUnrecorded(audit)] : []),
  ];
}

/** "joblet.v1.JobService/RunJob" */
function methodName(method: { readonly parent: { readonly typeName: string }; readonly name: string }): string {
  return `${method.parent.typeName}/${method.name}`;
}

/** Makes status codes of errors, of those thrown in the middle of a stream too. */
function mapErrors(log: Logger): Interceptor {
  return (next) => async (request) => {
    const requestId = crypto.randomUUID();
    request.contextValues.set(requestIdKey, requestId);
    const map = (error: unknown) => {
      if (!isExpected(error)) {
        log.error("Request failed", { request: requestId, method: methodName(request.method), error: describe(error) });
      }
      return toConnectError(error, requestId);
    };
    try {
      const response = await next(request);
      return response.stream ? { ...response, message: withMappedErrors(response.message, map) } : response;
    } catch (error) {
      throw map(error);
    }
  };
}

async function* withMappedErrors<T>(messages: AsyncIterable<T>, map: (error: unknown) => Error): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw map(error);
  }
}

/** One line a call when it ends: what, who, how it ended, how long it took. Never what was sent. */
function logRequests(log: Logger): Interceptor {
  return (next) => async (request) => {
    const startedAt = performance.now();
    const done = (code: Code | 0) => {
      const identity = request.contextValues.get(identityKey);
      log.info("Request", {
        request: request.contextValues.get(requestIdKey),
        method: methodName(request.method),
        name: identity?.name ?? "",
        code: code === 0 ? "OK" : Code[code],
        ms: Math.round((performance.now() - startedAt) * 1000) / 1000,
      });
    };
    try {
      const response = await next(request);
      if (response.stream) return { ...response, message: untilDone(response.message, done) };
      done(0);
      return response;
    } catch (error) {
      done(codeOf(error));
      throw error;
    }
  };
}

/** Tells the code once the stream ends; a stream that is ended from outside, because the client left, was canceled. */
async function* untilDone<T>(messages: AsyncIterable<T>, done: (code: Code | 0) => void): AsyncGenerator<T> {
  let code: Code | 0 = Code.Canceled;
  try {
    yield* messages;
    code = 0;
  } catch (error) {
    code = codeOf(error);
    throw error;
  } finally {
    done(code);
  }
}

const identifyCaller: Interceptor = (next) => (request) => {
  const identity = request.contextValues.get(peerKey)();
  assertStillValid(identity, Date.now());
  request.contextValues.set(identityKey, identity);
  return next(request);
};

const enforcePolicy: Interceptor = (next) => (request) => {
  const identity = request.contextValues.get(identityKey);
  const method = methodName(request.method);
  if (identity === undefined || !mayCall(identity.role, method)) {
    throw new AuthError("denied", `Cannot call ${method}: role '${identity?.role ?? "none"}' may not`);
  }
  return next(request);
};

function describe(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
