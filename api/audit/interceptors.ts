/** The interceptors of the audit log: one writes it, one refuses what could not be written down. */
import { Code, type Interceptor } from "@connectrpc/connect";
import { auditObjectKey, identityKey, peerAddressKey, requestedObjectKey, requestIdKey } from "../auth/context.ts";
import { AuthError } from "../auth/identity.ts";
import { ForeignJobError, POLICY, type Rule } from "../auth/policy.ts";
import type { AuditLog } from "./audit_log.ts";
import { answeredIn, namedIn } from "./object.ts";
import type { CallEntry } from "./record.ts";

/** Objects are ids and names; what is longer is cut, as anybody may send anything. */
const MAX_OBJECT_CHARS = 128;

type Request = Parameters<ReturnType<Interceptor>>[0];

/** What the interceptors need of the log. */
export type AuditSink = Pick<AuditLog, "record" | "assertWritable">;

/** Notes what a request names, for those further out that learn only how the call ended. */
export const noteRequested: Interceptor = (next) => (request) => {
  const note = (message: object) => void request.contextValues.set(requestedObjectKey, namedIn(message) ?? "");
  if (request.stream) return next({ ...request, message: seen(request.message, note) });
  note(request.message);
  return next(request);
};

async function* seen<T extends object>(messages: AsyncIterable<T>, note: (message: T) => void): AsyncGenerator<T> {
  for await (const message of messages) {
    note(message);
    yield message;
  }
}

/**
 * Writes a record of each call that changes something, and of each that is denied, before its answer goes out.
 * @param codeOf the status code of an error
 */
export function recordCalls(audit: AuditSink, codeOf: (error: unknown) => Code): Interceptor {
  return (next) => async (request) => {
    const changes = POLICY.get(methodOf(request))?.changes ?? true;
    const note = (code: Code | undefined, error?: unknown, answer?: object) => {
      const isDenied = code === Code.PermissionDenied || code === Code.Unauthenticated;
      if (!changes && !isDenied) return;
      audit.record({
        ...callerOf(request, error),
        method: methodOf(request),
        ...objectOf(request, error, answer),
        decision: isDenied ? "denied" : "allowed",
        code: code === undefined ? "OK" : statusName(code),
        request: request.contextValues.get(requestIdKey),
        peer: request.contextValues.get(peerAddressKey),
      });
    };
    try {
      const response = await next(request);
      if (response.stream) return { ...response, message: noted(response.message, codeOf, note) };
      note(undefined, undefined, response.message);
      return response;
    } catch (error) {
      note(codeOf(error), error);
      throw error;
    }
  };
}

/** Refuses calls that start or arrange something while no record of them could be written; what frees is let through. */
export function refuseUnrecorded(audit: AuditSink): Interceptor {
  return (next) => (request) => {
    const rule = POLICY.get(methodOf(request));
    if (rule && isNew(rule)) audit.assertWritable();
    return next(request);
  };
}

/** Whether a method makes or arranges something, rather than ends a job that is there. */
function isNew({ changes, reach }: Rule): boolean {
  return changes && reach.admin === "yes";
}

/** Calls back when a stream ends, before its end goes out; one that is ended from outside was canceled. */
async function* noted<T extends object>(
  messages: AsyncIterable<T>,
  codeOf: (error: unknown) => Code,
  note: (code: Code | undefined, error?: unknown, answer?: object) => void,
): AsyncGenerator<T> {
  let end: { readonly code?: Code; readonly error?: unknown } = { code: Code.Canceled };
  let last: T | undefined;
  try {
    for await (const message of messages) {
      last = message;
      yield message;
    }
    end = {};
  } catch (error) {
    end = { code: codeOf(error), error };
    throw error;
  } finally {
    note(end.code, end.error, last);
  }
}

function callerOf({ contextValues }: Request, error: unknown): Partial<CallEntry> {
  const identity = contextValues.get(identityKey);
  if (identity) return { name: identity.name, role: identity.role, serial: identity.serial };
  if (!(error instanceof AuthError)) return {};
  const { name, serial } = error.claimed;
  return { ...(name !== undefined && { claimed_name: name }), ...(serial !== undefined && { claimed_serial: serial }) };
}

function objectOf({ contextValues }: Request, error: unknown, answer?: object): Pick<CallEntry, "object"> {
  const foreign = error instanceof ForeignJobError ? error.jobId : undefined;
  const object = foreign ?? (contextValues.get(auditObjectKey) || (answer && answeredIn(answer)) ||
    contextValues.get(requestedObjectKey));
  return object ? { object: object.slice(0, MAX_OBJECT_CHARS) } : {};
}

/** "joblet.v1.JobService/RunJob" */
function methodOf({ method }: Request): string {
  return `${method.parent.typeName}/${method.name}`;
}

/** "PERMISSION_DENIED" */
function statusName(code: Code): string {
  return (Code[code] ?? String(code)).replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}
