/** `joblet certs`: a CA for one server, and certificates for those who may call it. */
import * as v from "valibot";
import { parse } from "@std/yaml";
import { EngineError } from "../../core/errors.ts";
import type { Home } from "../../core/values/home.ts";
import { loadServerConfig, serverConfigPath } from "../config.ts";
import { isSafeName } from "../identity.ts";
import { makePrivateFolder, readPrivateFile, writePrivateFile } from "../private_file.ts";
import { parseRole, type Role, ROLE_NAMES } from "../role.ts";
import { clientAddress, serverNames } from "./host_names.ts";
import { formatClientConfig, formatServerConfig } from "./node_config.ts";
import {
  type Authority,
  createAuthority,
  createClientCertificate,
  createServerCertificate,
  loadAuthority,
} from "./x509.ts";

export const DEFAULT_CERTIFICATE_DAYS = 365;
const AUTHORITY_DAYS = 3650;
/** X.509 has no greater year than 9999. */
const MAX_DAYS = 2_900_000;

export interface InitOptions {
  readonly home: Home;
  /** Where the server listens. @default {"127.0.0.1"} */
  readonly address?: string;
  /** @default {50051} */
  readonly port?: number;
  /** Further names and addresses under which clients reach it. @default {[]} */
  readonly hosts?: readonly string[];
  /** Life of the server's and the administrator's certificate; the CA lives ten years, or as long as they. @default {365} */
  readonly days?: number;
  /** Writes over existing files; the CA is kept if there is one, so other clients stay valid. @default {false} */
  readonly force?: boolean;
}

export interface InitResult {
  readonly serverConfigPath: string;
  readonly clientConfigPath: string;
  /** When the server's certificate ends. */
  readonly notAfter: Date;
  /** Whether this made a new CA. */
  readonly newAuthority: boolean;
}

/**
 * Makes a CA, the server's certificate and an administrator's, and writes ca.pem, ca.key, joblet-config.yml and
 * rnx-config.yml into the config folder. @throws {EngineError} kind "conflict" if they exist, "invalid" for bad options
 */
export async function initAuthority(options: InitOptions): Promise<InitResult> {
  const { home, address = "127.0.0.1", port = 50051, hosts = [], days = DEFAULT_CERTIFICATE_DAYS } = options;
  assertDays(days);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new EngineError("invalid", `Cannot use port '${port}': it must be 0 to 65535`);
  }
  const names = serverNames(Deno.hostname(), isWildcard(address) ? hosts : [address, ...hosts]);
  const paths = { serverConfigPath: serverConfigPath(home), clientConfigPath: clientConfigPath(home) };
  await makePrivateFolder(home.config);
  using _lock = await lockFolder(home);
  if (!options.force) await assertAbsent(Object.values(paths));

  const { ca, isNew } = await loadOrCreateAuthority(home, days);
  const server = await createServerCertificate(ca, names, days);
  const client = await createClientCertificate(ca, "admin", "admin", days);
  const nodeId = crypto.randomUUID();
  const endpoint = { address: clientAddress(address, port, hosts), nodeId };
  await writePrivateFile(paths.clientConfigPath, formatClientConfig({ ...endpoint, client, ca: ca.cert }));
  // Last, as the server's file is what says that all of it is there.
  await writePrivateFile(paths.serverConfigPath, formatServerConfig({ address, port, nodeId, server, ca: ca.cert }));
  return { ...paths, notAfter: server.notAfter, newAuthority: isNew };
}

export interface IssueOptions {
  readonly home: Home;
  /** Name of the caller: at most 64 letters, digits and . _ @ + - */
  readonly name: string;
  /** admin, user or viewer; reader and readonly mean viewer. */
  readonly role: string;
  /** @default {365} */
  readonly days?: number;
  /** File to write. @default {"<config>/rnx-config-<name>.yml"} */
  readonly out?: string;
}

/** Makes a certificate for a caller and writes it as an rnx-config.yml. @throws {EngineError} */
export async function issueClient(options: IssueOptions): Promise<{ readonly path: string; readonly notAfter: Date }> {
  const { home, name, days = DEFAULT_CERTIFICATE_DAYS } = options;
  assertDays(days);
  if (!isSafeName(name)) {
    throw new EngineError(
      "invalid",
      `Cannot use the name ${
        JSON.stringify(name)
      }: it must be 1 to 64 letters, digits and . _ @ + -, the first a letter or digit`,
    );
  }
  const role = roleNamed(options.role);
  const path = options.out ?? `${home.config}/rnx-config-${name}.yml`;
  const ca = await loadAuthority(readAuthorityFile(home, "ca.pem"), readAuthorityFile(home, "ca.key"));
  const client = await createClientCertificate(ca, name, role, days);
  await writePrivateFile(path, formatClientConfig({ ...endpointOf(home), client, ca: ca.cert }));
  return { path, notAfter: client.notAfter };
}

/** Path of the administrator's client file. */
export function clientConfigPath(home: Home): string {
  return `${home.config}/rnx-config.yml`;
}

async function loadOrCreateAuthority(home: Home, days: number): Promise<{ ca: Authority; isNew: boolean }> {
  const [certPath, keyPath] = [`${home.config}/ca.pem`, `${home.config}/ca.key`];
  if (await exists(certPath) && await exists(keyPath)) {
    return { ca: await loadAuthority(readPrivateFile(certPath), readPrivateFile(keyPath)), isNew: false };
  }
  const ca = await createAuthority("joblet CA", Math.max(AUTHORITY_DAYS, days));
  await writePrivateFile(keyPath, ca.key);
  await writePrivateFile(certPath, ca.cert);
  return { ca, isNew: true };
}

/** One maker at a time: two would mix their certificates. */
async function lockFolder(home: Home): Promise<Disposable> {
  const file = await Deno.open(`${home.config}/.certs.lock`, { write: true, create: true, mode: 0o600 });
  try {
    await file.lock(true);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

async function assertAbsent(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    if (await exists(path)) {
      throw new EngineError("conflict", `Cannot write ${path}: it exists; use --force to make new certificates`);
    }
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const EndpointSchema = v.object({
  nodes: v.object({ default: v.object({ address: v.string(), nodeId: v.optional(v.string(), "") }) }),
});

/** Where clients find the server: as the administrator does, or, if that file has moved away, as the server says. */
function endpointOf(home: Home): { address: string; nodeId: string } {
  try {
    const { success, output } = v.safeParse(EndpointSchema, parse(readPrivateFile(clientConfigPath(home))));
    if (success) return output.nodes.default;
  } catch (error) {
    if (!(error instanceof EngineError && error.kind === "not_found")) throw error;
  }
  const { address, port, nodeId } = loadServerConfig(home);
  return { address: clientAddress(address, port, []), nodeId };
}

function readAuthorityFile(home: Home, name: string): string {
  return readPrivateFile(`${home.config}/${name}`);
}

function roleNamed(text: string): Role {
  const role = parseRole(text);
  if (role === undefined) {
    throw new EngineError("invalid", `Cannot give role '${text}': it must be one of ${ROLE_NAMES.join(", ")}`);
  }
  return role;
}

function assertDays(days: number): void {
  if (!Number.isInteger(days) || days < 1 || days > MAX_DAYS) {
    throw new EngineError("invalid", `Cannot make a certificate for '${days}' days: it must be 1 to ${MAX_DAYS}`);
  }
}

function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}
