/** `joblet doctor`: what this host has of what joblet needs, the host's checks and then the server's. */
import { X509Certificate } from "node:crypto";
import pinnedVersion from "../.deno-version" with { type: "text" };
import { type Check, failed, passed } from "../core/doctor/check.ts";
import { checkHost } from "../core/doctor/host_checks.ts";
import { EngineError } from "../core/errors.ts";
import type { Home } from "../core/values/home.ts";
import { loadServerConfig } from "./config.ts";
import { assertUsableTls } from "./tls_material.ts";

const DAY_MS = 86_400_000;
const WARN_DAYS = 14;

/** All checks, in the order in which a failure explains the later ones. */
export async function runDoctor(home: Home): Promise<readonly Check[]> {
  return [checkRuntime(Deno.version.deno, pinnedVersion.trim()), ...await checkHost(home), checkTls(home, Date.now())];
}

/** @param running version of this process @param pinned the only one that servers may run on */
export function checkRuntime(running: string, pinned: string): Check {
  const found = `Deno ${running}`;
  if (running === pinned) return passed("runtime", found);
  return failed("runtime", found, `servers need Deno ${pinned} exactly: run install.sh again`);
}

/** The server's configuration and its certificate. */
export function checkTls(home: Home, nowMs: number): Check {
  try {
    const { tls } = loadServerConfig(home);
    assertUsableTls(tls, nowMs);
    const end = new Date(new X509Certificate(tls.cert).validTo);
    const days = Math.floor((end.getTime() - nowMs) / DAY_MS);
    const found = `server certificate valid until ${end.toISOString().slice(0, 10)} (${days} days)`;
    if (days >= WARN_DAYS) return passed("TLS", found);
    return failed("TLS", found, "make new certificates: joblet certs init --force");
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return failed("TLS", error.message, "make certificates: joblet certs init");
  }
}
