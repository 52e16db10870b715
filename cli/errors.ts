/** From whatever went wrong to one line for people and an exit code. */
import { Code, ConnectError } from "@connectrpc/connect";

/** A failure that is shown as one line; `exitCode` 1: the server said no or can't be reached, 2: wrong usage. */
export class CliError extends Error {
  override readonly name = "CliError";

  constructor(message: string, readonly exitCode = 1, options?: ErrorOptions) {
    super(message, options);
  }
}

const CURE = "'joblet server' starts one here, 'joblet doctor' looks for what is wrong";

/** No connection came about, so the server has seen nothing of the call. Found as the cause of a ConnectError. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}

/** Whether a call failed before it reached the server. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof ConnectError && error.cause instanceof UnreachableError;
}

/** Any failure as the line to show and the exit code; never a stack trace. */
export function describeError(error: unknown, address: string): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof RangeError) return new CliError(error.message, 2);
  if (error instanceof ConnectError && error.cause instanceof CliError) return error.cause;
  if (error instanceof ConnectError) return new CliError(connectMessage(error, address));
  if (error instanceof Error) return new CliError(firstLine(error.message) || error.name, 1, { cause: error });
  return new CliError(firstLine(String(error)));
}

function connectMessage(error: ConnectError, address: string): string {
  const text = firstLine(error.rawMessage);
  switch (error.code) {
    case Code.Unavailable:
      // The server's own words: it was reached.
      if (text.startsWith("Cannot ")) return text;
      return unreachable(text, address);
    case Code.Unknown:
      return unreachable(text, address);
    case Code.DeadlineExceeded:
      return `Cannot get an answer from the server at ${address} in time: ${CURE}`;
    case Code.Unauthenticated:
      return `Cannot log in at ${address}: ${text}; check the certificate in your rnx-config.yml`;
    case Code.PermissionDenied:
      return `Not allowed: ${text}`;
    case Code.Internal:
      return isTransportFailure(text) ? unreachable(text, address) : `The server failed: ${text}; its log says more`;
    default:
      return text;
  }
}

/** Whether an Internal error is what the client made of a broken connection, rather than the server's own word. */
export function isTransportFailure(text: string): boolean {
  return /error sending request|client error|connection|error trying to connect|EndStreamResponse/i.test(text);
}

function unreachable(text: string, address: string): string {
  if (/peer closed connection/i.test(text)) {
    return `Cannot log in at ${address}: the server closed the connection without a reason; ` +
      "the certificate in your rnx-config.yml may be revoked or from another CA, or the server has just ended";
  }
  if (/certificate|UnknownIssuer/i.test(text)) {
    return `Cannot connect to ${address}: the certificates do not fit: ${text}; check the rnx-config.yml`;
  }
  const reason = /refused/i.test(text) ? "connection refused" : /timed? ?out/i.test(text) ? "timed out" : text;
  return `Cannot reach the server at ${address}: ${reason}; ${CURE}`;
}

function firstLine(text: string): string {
  return text.split("\n")[0]!;
}
