/** `joblet server`: the only place where the parts are put together. */
import pinnedVersion from "../../.deno-version" with { type: "text" };
import type { EngineConfig } from "../../core/config.ts";
import { EngineError } from "../../core/errors.ts";
import type { Engine } from "../../core/jobs/engine.ts";
import { getLogger, type LogFormat, type Logger, type LogLevel, setUpLogging } from "../../core/std_log.ts";
import type { Home } from "../../core/values/home.ts";
import { AuditLog } from "../audit/audit_log.ts";
import { loadServerConfig } from "../config/config.ts";
import { lockHome } from "./lock.ts";
import { Reloader } from "./reload.ts";
import { startServer } from "./tls_server.ts";

export interface ServeOptions {
  /** @default {"text"} on a terminal, else "json" */
  readonly logFormat?: LogFormat;
  /** @default {"info"} */
  readonly logLevel?: LogLevel;
  /** Time for calls to finish after SIGTERM or SIGINT. @default {5000} */
  readonly closeGraceMs?: number;
  /** On the first signal, take no new jobs and end when all that run have; a second signal ends at once. @default {false} */
  readonly drain?: boolean;
  /** Takes the line that says where the server listens. @default writes to stdout */
  readonly announce?: (line: string) => void;
  /** @default core/engine.ts */
  readonly openEngine?: OpenEngine;
}

/** @param onError told of failures that belong to no call */
type OpenEngine = (config: EngineConfig, onError: (what: string, error: unknown) => void) => Promise<Engine>;

/**
 * Serves a home folder until SIGTERM or SIGINT; jobs run on then. Resolves with the process's exit code: 0, or 1 after one
 * line on stderr that says why it can't start.
 */
export async function serve(home: Home, options: ServeOptions = {}): Promise<number> {
  setUpLogging({
    ...(options.logFormat && { format: options.logFormat }),
    ...(options.logLevel && { level: options.logLevel }),
  });
  const log = getLogger("server");
  using _guard = surviveStrayErrors(log);
  using stop = stopSignals();
  try {
    assertPinnedRuntime(Deno.version.deno, pinnedVersion.trim());
    await run(home, options, log, stop);
    return 0;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    await writeAll(Deno.stderr, `joblet server: ${error.message}\n`);
    return 1;
  }
}

/** What is opened first is closed last. */
async function run(home: Home, options: ServeOptions, log: Logger, stop: StopSignals): Promise<void> {
  const config = loadServerConfig(home);
  using _lock = await lockHome(home);
  const engine = await (options.openEngine ?? openRealEngine)(config.engine, (what, error) => {
    getLogger("engine").error("Engine failed", { what, error: describe(error) });
  });
  const audit = openAuditLog(home, config.auditMaxBytes);
  try {
    const server = await startServer({ engine, config, audit });
    await using _reloader = new Reloader({ home, config, server, log });
    const where = `${server.address.includes(":") ? `[${server.address}]` : server.address}:${server.port}`;
    log.info("Listening", { address: where, node: config.nodeId, pid: Deno.pid, home: home.root });
    if (options.announce) options.announce(`listening on ${where}`);
    else await writeAll(Deno.stdout, `listening on ${where}\n`);
    log.info("Stopping", { signal: await stop.requested, drain: options.drain ?? false });
    if (options.drain) await engine.drain(stop.again);
    await server.close(options.closeGraceMs ?? 5000);
  } finally {
    await engine.close();
    await audit.close();
  }
  log.info("Stopped");
}

function openAuditLog(home: Home, maxBytes: number): AuditLog {
  const log = getLogger("audit");
  return AuditLog.open({
    folder: home.audit,
    maxBytes,
    onFailure: (error) =>
      log.error("Audit log can't be written: what starts jobs is refused", { error: describe(error) }),
    onRecovery: (missing) => log.info("Audit log is written again", { missing }),
  });
}

const openRealEngine: OpenEngine = async (config, onError) => {
  const { openEngine } = await import("../../core/engine.ts");
  return await openEngine(config, onError);
};

/** Other versions crash as http2 servers, or let clients without certificate in. @throws {EngineError} */
export function assertPinnedRuntime(running: string, pinned: string): void {
  if (running === pinned) return;
  throw new EngineError(
    "precondition",
    `Cannot start on Deno ${running}: joblet needs Deno ${pinned} exactly, as servers crash on others; run install.sh again`,
  );
}

interface StopSignals {
  /** Resolves with the name of the first signal that asks for the end. */
  readonly requested: Promise<string>;
  /** Aborts at the second. */
  readonly again: AbortSignal;
}

function stopSignals(): Disposable & StopSignals {
  const { promise, resolve } = Promise.withResolvers<string>();
  const again = new AbortController();
  let count = 0;
  const listeners = (["SIGTERM", "SIGINT"] as const).map((name) => ({
    name,
    listener: () => ++count === 1 ? resolve(name) : again.abort(),
  }));
  for (const { name, listener } of listeners) Deno.addSignalListener(name, listener);
  return {
    requested: promise,
    again: again.signal,
    [Symbol.dispose]() {
      for (const { name, listener } of listeners) Deno.removeSignalListener(name, listener);
    },
  };
}

/** An error that nobody waits for is a defect, but no reason to leave all the others without a server. */
function surviveStrayErrors(log: Logger): Disposable {
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    log.error("Unhandled rejection", { error: describe(event.reason) });
  };
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    log.error("Uncaught error", { error: describe(event.error) });
  };
  globalThis.addEventListener("unhandledrejection", onRejection);
  globalThis.addEventListener("error", onError);
  return {
    [Symbol.dispose]() {
      globalThis.removeEventListener("unhandledrejection", onRejection);
      globalThis.removeEventListener("error", onError);
    },
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

async function writeAll(to: { write(bytes: Uint8Array): Promise<number> }, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) written += await to.write(bytes.subarray(written));
}
