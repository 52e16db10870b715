/** From the core's errors to status codes; the only such place. */
import { Code, ConnectError } from "@connectrpc/connect";
import { EngineError, type EngineErrorKind } from "../../core/errors.ts";
import { AuthError } from "../auth/identity.ts";

const CODES: Readonly<Record<EngineErrorKind, Code>> = {
  invalid: Code.InvalidArgument,
  not_found: Code.NotFound,
  forbidden: Code.PermissionDenied,
  precondition: Code.FailedPrecondition,
  conflict: Code.Aborted,
  exhausted: Code.ResourceExhausted,
  unavailable: Code.Unavailable,
};

/** The status code of an error; Internal for a defect. */
export function codeOf(error: unknown): Code {
  if (error instanceof ConnectError) return error.code;
  if (error instanceof EngineError) return CODES[error.kind];
  if (error instanceof AuthError) return error.kind === "denied" ? Code.PermissionDenied : Code.Unauthenticated;
  return Code.Internal;
}

/** Whether the error was foreseen; one that was not is logged whole and told to no client. */
export function isExpected(error: unknown): boolean {
  return error instanceof ConnectError || error instanceof EngineError || error instanceof AuthError;
}

/** What the client is told. */
export function toConnectError(error: unknown, requestId: string): ConnectError {
  if (error instanceof ConnectError) return error;
  if (error instanceof EngineError || error instanceof AuthError) return new ConnectError(error.message, codeOf(error));
  return new ConnectError(`Cannot answer: internal error, see request ${requestId} in the server's log`, Code.Internal);
}
