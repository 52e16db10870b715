/** When the server hangs up, the reason may be the client's own certificate, which the server does not say. */
import { Code, ConnectError } from "@connectrpc/connect";
import { type CertificateSummary, summarizeCertificate } from "../core/values/certificate.ts";
import { DerError } from "../core/values/der.ts";
import { dateOf } from "../core/values/validity.ts";
import type { ClientNode } from "./client_config.ts";
import { CliError } from "./errors.ts";

/** Whether a failed call may have failed for the certificates of either side. */
export function isHandshakeFailure(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Unavailable &&
    /certificate|peer closed connection|fatal alert|connection reset|broken pipe/i.test(error.rawMessage);
}

/** What is wrong with the dates of a node's own certificate, as the cause of the error; undefined if nothing is. */
export function ownCertificateError(node: ClientNode, nowMs: number): ConnectError | undefined {
  const own = readOwnCertificate(node);
  if (own === undefined) return undefined;
  const whose = `the certificate of '${own.commonName}' in ${node.certFile}`;
  const problem = nowMs > own.notAfter.getTime()
    ? `${whose} expired on ${
      dateOf(own.notAfter)
    }; get a new one with 'joblet certs renew ${own.commonName}' on the server`
    : nowMs < own.notBefore.getTime()
    ? `${whose} is not valid before ${own.notBefore.toISOString()}; check this host's clock`
    : undefined;
  if (problem === undefined) return undefined;
  const message = `Cannot log in at ${node.address}: ${problem}`;
  return new ConnectError(message, Code.Unauthenticated, undefined, undefined, new CliError(message));
}

/** Undefined if it can't be read: the connection says that in its own words. */
export function readOwnCertificate(node: Pick<ClientNode, "cert">): CertificateSummary | undefined {
  try {
    return summarizeCertificate(node.cert);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}
