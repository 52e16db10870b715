/**
 * The failures that callers of the engine tell apart. Each becomes one status code at the edge (api/server/errors.ts);
 * whatever is no EngineError is a defect and stays without details for the client.
 */
export type EngineErrorKind =
  /** A field of the request is malformed. */
  | "invalid"
  /** No such object. */
  | "not_found"
  /** The caller may not do this to this object. */
  | "forbidden"
  /** The object's state, or this host, does not allow it now. */
  | "precondition"
  /** An object with this key exists, or changed under the caller. */
  | "conflict"
  /** A bound is reached: disk, memory, quota. */
  | "exhausted"
  /** The engine is shutting down or not ready. */
  | "unavailable";

/** An expected failure. The message is one sentence for people: what failed, the value, what to do. */
export class EngineError extends Error {
  override readonly name = "EngineError";

  constructor(readonly kind: EngineErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}
