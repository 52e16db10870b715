/** `joblet doctor`: what this host has of what joblet needs, the host's checks and then the server's. */
import { X509Certificate } from "node:crypto";
import pinnedVersion from "../.deno-version" with { type: "text" };
import { type Check, failed, passed } from "../core/doctor/check.ts";
import { checkHost } from "../core/doctor/host_checks.ts";
import { EngineError } from "../core/errors.ts";
import type { Home } from "../core/values/home.ts";
import { dateOf, daysUntil, endsSoon } from "../core/values/validity.ts";
import { loadServerConfig } from "./config/config.ts";
import { assertUsableTls } from "./server/tls_material.ts";

/** All checks, in the order in which a failure explains the later ones. */
export async function runDoctor(home: Home): Promise<readonly Check[]> {
  return [
    checkRuntime(Deno.version.deno, pinnedVersion.trim()),
    ...await checkHost(home),
    ...checkTls(home, Date.now()),
  ];
}

/** @param running version of this process @param pinned the only one that servers may run on */
export function checkRuntime(running: string, pinned: string): Check {
  const found = `Deno ${running}`;
  if (running === pinned) return passed("runtime", found);
  return failed("runtime", found, `servers need Deno ${pinned} exactly: run install.sh again`);
}

/** The server's configuration with its certificate, and its CAs. */
export function checkTls(home: Home, nowMs: number): Check[] {
  try {
    const { tls } = loadServerConfig(home);
    const { authorities } = assertUsableTls(tls, nowMs);
    return [
      checkValidity("TLS", "server certificate", new X509Certificate(tls.cert), nowMs, "joblet certs renew --server"),
      ...authorities.map(({ certificate }) =>
        checkValidity("TLS CA", "CA", certificate, nowMs, "joblet certs rotate-ca")
      ),
    ];
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return [failed("TLS", error.message, cureFor(error))];
  }
}

function cureFor({ kind }: EngineError): string {
  return kind === "not_found" ? "make certificates: joblet certs init" : "then look again: joblet doctor";
}

function checkValidity(name: string, what: string, certificate: X509Certificate, nowMs: number, cure: string): Check {
  const { validFromDate, validToDate } = certificate;
  const found = `${what} valid until ${dateOf(validToDate)} (${daysUntil(validToDate.getTime(), nowMs)} days)`;
  const isDue = endsSoon(validFromDate.getTime(), validToDate.getTime(), nowMs);
  return isDue ? failed(name, found, `renew it: ${cure}`) : passed(name, found);
}
