/** What travels with one call, from the connection to the handlers. */
import { type ContextValues, createContextKey } from "@connectrpc/connect";
import { AuthError, type Identity } from "./identity.ts";

/** Tells who is at the other end of the connection. @throws {AuthError} */
export type PeerLookup = () => Identity;

/** Set by the server for every request; a call that arrives in another way has no peer and is refused. */
export const peerKey = createContextKey<PeerLookup>(
  () => {
    throw new AuthError("unauthenticated", "Cannot tell who is calling: the connection has no client certificate");
  },
  { description: "peer of the connection" },
);

/** Where the connection comes from, "192.0.2.7:51000"; set by the server. */
export const peerAddressKey = createContextKey("", { description: "address of the peer" });

/** Set by the identity interceptor. */
export const identityKey = createContextKey<Identity | undefined>(undefined, { description: "caller" });

/** Set by the outermost interceptor; joins a client's error message with the server's log lines. */
export const requestIdKey = createContextKey("", { description: "request id" });

/** What the request names, an id or a name; "" for nothing, or before the first message of a stream was read. */
export const requestedObjectKey = createContextKey("", { description: "object that the request names" });

/** Set by `setAuditObject`. */
export const auditObjectKey = createContextKey("", { description: "object for the audit log" });

/** Tells the audit log what a call is about, where neither answer nor request have its whole id. */
export function setAuditObject(values: ContextValues, object: string): void {
  values.set(auditObjectKey, object);
}

/** The caller. @throws {AuthError} if no interceptor has found one */
export function callerOf(values: ContextValues): Identity {
  const identity = values.get(identityKey);
  if (identity === undefined) throw new AuthError("unauthenticated", "Cannot tell who is calling");
  return identity;
}
