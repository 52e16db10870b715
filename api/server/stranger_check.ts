/**
 * Proves that the server asks for client certificates. Runtimes that know nothing of `requestCert` ignore it without a
 * word, and then the whole world is let in.
 */
import { connect } from "node:tls";
import { EngineError } from "../../core/errors.ts";

const TIMEOUT_MS = 10_000;
const REFUSED = "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED";

/** Calls the server as a client without certificate. @throws {EngineError} unless it is refused for that very reason */
export async function assertRefusesStrangers(host: string, port: number, ca: string): Promise<void> {
  const outcome = await knock(host, port, ca);
  if (outcome === REFUSED) return;
  throw new EngineError(
    "precondition",
    `Cannot serve: a client without certificate was not refused as it must be (${outcome}); run the pinned Deno version`,
  );
}

/** What becomes of a connection without certificate: an error code, or what was answered. */
function knock(host: string, port: number, ca: string): Promise<string> {
  // TLS 1.3 has the client through before the server has looked at its certificate: only an answer, or an alert, tells. In
  // HTTP/2 the server speaks first. A request of ours could meet a connection that is closed, whose reset outruns the alert.
  const socket = connect({ host, port, ca, servername: "joblet", minVersion: "TLSv1.3", ALPNProtocols: ["h2"] });
  socket.setTimeout(TIMEOUT_MS);
  return new Promise<string>((resolve) => {
    socket.once("error", (error: Error & { readonly code?: string }) => resolve(error.code ?? error.message));
    socket.once("data", () => resolve("it was answered"));
    socket.once("timeout", () => resolve("nothing happened"));
    socket.once("close", () => resolve("the connection was closed without a reason"));
  }).finally(() => socket.destroy());
}
