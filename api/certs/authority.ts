/** `joblet certs init`: a CA for one server, its certificate, and its administrator's. */
import { EngineError } from "../../core/errors.ts";
import type { Home } from "../../core/values/home.ts";
import { serverConfigPath } from "../config/config.ts";
import { makePrivateFolder, writePrivateFile } from "../config/private_file.ts";
import { type Authorities, bundleOf, exists, loadAuthorities, lockFolder, writePair } from "./authority_files.ts";
import { clientConfigPath } from "./client_files.ts";
import { assertDays, CLIENT_DAYS, SERVER_DAYS } from "./clients.ts";
import { clientAddress, serverNames } from "./host_names.ts";
import { formatClientConfig, formatServerConfig } from "./node_config.ts";
import { readRegistry, recordOf, serialOf, writeRegistry } from "./registry.ts";
import { type Authority, createAuthority, createClientCertificate, createServerCertificate } from "./x509.ts";

const AUTHORITY_DAYS = 3650;

export interface InitOptions {
  readonly home: Home;
  /** Where the server listens. @default {"127.0.0.1"} */
  readonly address?: string;
  /** @default {50051} */
  readonly port?: number;
  /** Further names and addresses under which clients reach it. @default {[]} */
  readonly hosts?: readonly string[];
  /**
   * Life of the server's and the administrator's certificate; the CA lives ten years, or as long as they.
   * @default 365 for the server, 90 for the administrator
   */
  readonly days?: number;
  /** Writes over existing files; the CA is kept if there is one, so other clients stay valid. @default {false} */
  readonly force?: boolean;
}

export interface InitResult {
  readonly serverConfigPath: string;
  readonly clientConfigPath: string;
  /** When the server's certificate ends. */
  readonly notAfter: Date;
  /** When the administrator's ends. */
  readonly clientNotAfter: Date;
  /** Whether this made a new CA. */
  readonly newAuthority: boolean;
}

/**
 * Makes a CA, the server's certificate and an administrator's, and writes ca.pem, ca.key, joblet-config.yml and
 * rnx-config.yml into the config folder. @throws {EngineError} kind "conflict" if they exist, "invalid" for bad options
 */
export async function initAuthority(options: InitOptions): Promise<InitResult> {
  const { home, address = "127.0.0.1", port = 50051, hosts = [], days } = options;
  if (days !== undefined) assertDays(days);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new EngineError("invalid", `Cannot use port '${port}': it must be 0 to 65535`);
  }
  const names = serverNames(Deno.hostname(), isWildcard(address) ? hosts : [address, ...hosts]);
  const paths = { serverConfigPath: serverConfigPath(home), clientConfigPath: clientConfigPath(home) };
  await makePrivateFolder(home.config);
  using _lock = await lockFolder(home);
  if (!options.force) await assertAbsent(Object.values(paths));

  const isNew = !await hasAuthority(home);
  const authorities = isNew ? await createFirst(home, days ?? 0) : await loadAuthorities(home);
  const { current } = authorities;
  const server = await createServerCertificate(current, names, days ?? SERVER_DAYS);
  const client = await createClientCertificate(current, "admin", "admin", days ?? CLIENT_DAYS);
  const issuer = serialOf(current.cert);
  const records = readRegistry(home);
  const isKnown = records.some(({ kind, serial }) => kind === "ca" && serial === issuer);
  await writeRegistry(home, [
    ...records,
    ...(isKnown ? [] : [recordOf(current.cert, { kind: "ca", issuer })]),
    recordOf(server.cert, { kind: "server", issuer }),
    recordOf(client.cert, { kind: "client", role: "admin", issuer, file: paths.clientConfigPath }),
  ]);
  const ca = bundleOf(authorities);
  const nodeId = crypto.randomUUID();
  const endpoint = { address: clientAddress(address, port, hosts), nodeId };
  await writePrivateFile(paths.clientConfigPath, formatClientConfig({ ...endpoint, client, ca }));
  // Last, as the server's file is what says that all of it is there.
  await writePrivateFile(paths.serverConfigPath, formatServerConfig({ address, port, nodeId, server, ca }));
  return { ...paths, notAfter: server.notAfter, clientNotAfter: client.notAfter, newAuthority: isNew };
}

/** Makes a CA with a name of its own, so that nobody mixes up two of one server. @param days at least, ten years without */
export async function newAuthority(days = 0): Promise<Authority> {
  const name = `joblet CA ${crypto.getRandomValues(new Uint8Array(4)).toHex()}`;
  return await createAuthority(name, Math.max(AUTHORITY_DAYS, days));
}

async function createFirst(home: Home, days: number): Promise<Authorities> {
  const current = await newAuthority(days);
  await writePair(home, "ca", current);
  return { phase: "single", current };
}

async function hasAuthority(home: Home): Promise<boolean> {
  return await exists(`${home.config}/ca.pem`) && await exists(`${home.config}/ca.key`);
}

async function assertAbsent(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    if (await exists(path)) {
      throw new EngineError("conflict", `Cannot write ${path}: it exists; use --force to make new certificates`);
    }
  }
}

function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}
