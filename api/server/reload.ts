/**
 * Takes over changed certificates while the server runs: when the configuration or a file that it names changes, and at
 * SIGHUP. What can't be used is refused, and the old stays.
 */
import { X509Certificate } from "node:crypto";
import { EngineError } from "../../core/errors.ts";
import type { Logger } from "../../core/std_log.ts";
import type { Home } from "../../core/values/home.ts";
import { daysUntil, endsSoon } from "../../core/values/validity.ts";
import { loadServerConfig, type ServerConfig } from "../config/config.ts";
import { readTrust } from "../auth/trust.ts";
import type { TlsConfig } from "../config/tls_config.ts";
import type { RunningServer } from "./tls_server.ts";

/** Several files are written one after the other; they are read when it has been quiet for this long. */
const QUIET_MS = 200;
const DAY_MS = 86_400_000;

export interface ReloaderOptions {
  readonly home: Home;
  /** What the server was started with. */
  readonly config: ServerConfig;
  readonly server: Pick<RunningServer, "useTls">;
  readonly log: Logger;
}

/** Follows the files of one server until it is closed. */
export class Reloader implements AsyncDisposable {
  #config: ServerConfig;
  /** The other keys of the configuration, as they were at the start or last complained of. */
  #rest: string;
  /** What was refused last, so that each is told once. */
  #refused = "";
  #watcher: Deno.FsWatcher | undefined;
  #folders = "";
  #quiet: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  readonly #daily: ReturnType<typeof setInterval>;
  readonly #hangUp = () => this.reload(true);
  #watching: Promise<void> = Promise.resolve();

  constructor(readonly options: ReloaderOptions) {
    this.#config = options.config;
    this.#rest = restOf(options.config);
    this.#watch();
    Deno.addSignalListener("SIGHUP", this.#hangUp);
    this.#warn();
    this.#daily = setInterval(() => this.#warn(), DAY_MS);
    // A change between the reading of the configuration and the start of the watch.
    this.reload();
  }

  /** Reads everything again. @param asked whether somebody wants to be told that nothing has changed */
  reload(asked = false): void {
    const { home, log, server } = this.options;
    try {
      const config = loadServerConfig(home);
      const changed = asked || textOf(config.tls) !== textOf(this.#config.tls);
      if (changed) {
        server.useTls(config.tls);
        this.#tell(config.tls);
      }
      this.#config = config;
      this.#refused = "";
      this.#watch();
      this.#warnOfRest(restOf(config));
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      if (!asked && error.message === this.#refused) return;
      this.#refused = error.message;
      log.error("Certificates not taken over: the old ones stay in use", { reason: error.message });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    Deno.removeSignalListener("SIGHUP", this.#hangUp);
    clearInterval(this.#daily);
    clearTimeout(this.#quiet);
    this.#watcher?.close();
    await this.#watching;
  }

  /** Folders rather than files: a file that is exchanged whole is another one. */
  #watch(): void {
    const { home, log } = this.options;
    const paths = this.#config.tlsFiles.map((path) => path.slice(0, path.lastIndexOf("/")) || "/");
    const folders = [...new Set([home.config, ...paths])].sort();
    if (folders.join("\n") === this.#folders) return;
    this.#watcher?.close();
    this.#folders = folders.join("\n");
    const watcher = this.#watcher = openWatcher(folders, log);
    if (watcher === undefined) return;
    this.#watching = this.#watching.then(async () => {
      for await (const { kind } of watcher) {
        if (kind !== "access") this.#reloadWhenQuiet();
      }
    }).catch((error: unknown) => {
      log.error("Certificates are not watched any more; SIGHUP still reads them", { error: String(error) });
    });
  }

  #reloadWhenQuiet(): void {
    // Not put off again and again: a folder that is never quiet must not hide a revocation.
    if (this.#closed) return;
    this.#quiet ??= setTimeout(() => {
      this.#quiet = undefined;
      this.reload();
    }, QUIET_MS);
  }

  #tell(tls: TlsConfig): void {
    const { authorities } = readTrust(tls.ca, tls.crl);
    this.options.log.info("Certificates taken over", {
      serverCertEnds: new X509Certificate(tls.cert).validToDate.toISOString(),
      authorities: authorities.length,
      revoked: authorities.reduce((sum, { revoked }) => sum + revoked.size, 0),
    });
    this.#warn(tls);
  }

  #warnOfRest(rest: string): void {
    if (rest === this.#rest) return;
    this.#rest = rest;
    this.options.log.warn("The configuration has changed besides its certificates: that needs a restart");
  }

  /** Of what is right now and will not stay so. */
  #warn(tls: TlsConfig = this.#config.tls): void {
    const { log } = this.options;
    const { authorities, strangeLists } = readTrust(tls.ca, tls.crl);
    if (strangeLists > 0) log.warn("A revocation list of a CA that is not trusted is ignored", { lists: strangeLists });
    const now = Date.now();
    const warn = (what: string, { validFromDate, validToDate }: X509Certificate, cure: string) => {
      if (!endsSoon(validFromDate.getTime(), validToDate.getTime(), now)) return;
      const days = daysUntil(validToDate.getTime(), now);
      log.warn("A certificate ends soon", { what, ends: validToDate.toISOString(), days, cure });
    };
    warn("server", new X509Certificate(tls.cert), "joblet certs renew --server");
    for (const { certificate } of authorities) warn("CA", certificate, "joblet certs rotate-ca");
  }
}

/** The host may have no watches left: then SIGHUP is the way. */
function openWatcher(folders: string[], log: Logger): Deno.FsWatcher | undefined {
  try {
    return Deno.watchFs(folders, { recursive: false });
  } catch (error) {
    log.error("Certificates can't be watched; SIGHUP still reads them", { error: String(error) });
    return undefined;
  }
}

function textOf({ cert, key, ca, crl = "" }: TlsConfig): string {
  return [cert, key, ca, crl].join("\n");
}

/** All that the certificates are not, in a form that can be compared. */
function restOf(config: ServerConfig): string {
  const { tls: _tls, tlsFiles: _tlsFiles, ...rest } = config;
  return JSON.stringify(rest, (_key, value) => {
    if (typeof value === "bigint") return String(value);
    return value instanceof Map || value instanceof Set ? [...value] : value;
  });
}
