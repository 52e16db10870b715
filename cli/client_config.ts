/** rnx-config.yml: which servers there are and the certificate to use with each. */
import { parse } from "@std/yaml";
import { DEFAULT_HOME } from "../core/values/home.ts";
import { CliError } from "./errors.ts";

/** One server and this client's credentials for it; PEM texts. */
export interface ClientNode {
  readonly name: string;
  /** What the server's host is called; empty if the file does not say. */
  readonly nodeId: string;
  /** host:port */
  readonly address: string;
  readonly cert: string;
  readonly key: string;
  /** One CA or several. */
  readonly ca: string;
  /** The file that holds the certificate. */
  readonly certFile: string;
  /** The file that holds the key, if it is one of its own and others may read it. */
  readonly exposedKey?: string;
}

export interface SearchEnvironment {
  readonly configFlag?: string;
  readonly rnxConfig?: string;
  readonly jobletHome?: string;
  readonly userHome?: string;
}

/** Files to look at, in order: the first that exists is used. One that was named must exist. */
export function configCandidates(env: SearchEnvironment): { readonly path: string; readonly named: boolean }[] {
  if (env.configFlag) return [{ path: env.configFlag, named: true }];
  if (env.rnxConfig) return [{ path: env.rnxConfig, named: true }];
  const paths = [
    ...(env.jobletHome ? [`${env.jobletHome}/config/rnx-config.yml`] : []),
    "./rnx-config.yml",
    "./config/rnx-config.yml",
    ...(env.userHome ? [`${env.userHome}/.rnx/rnx-config.yml`] : []),
    "/etc/joblet/rnx-config.yml",
    `${DEFAULT_HOME}/config/rnx-config.yml`,
  ];
  return paths.map((path) => ({ path, named: false }));
}

/** A configuration file that was found. */
export interface FoundConfig {
  readonly path: string;
  readonly text: string;
  /** Others than its owner may read the private key in it. */
  readonly exposed: boolean;
}

/** The first configuration file there is; undefined if none was found. @throws {CliError} a named one is missing */
export async function findConfig(env: SearchEnvironment): Promise<FoundConfig | undefined> {
  for (const { path, named } of configCandidates(env)) {
    try {
      const { mode } = await Deno.stat(path);
      return { path, text: await Deno.readTextFile(path), exposed: ((mode ?? 0) & 0o077) !== 0 };
    } catch (error) {
      if (error instanceof Deno.errors.PermissionDenied) throw new CliError(`Cannot read '${path}': permission denied`);
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      if (named) throw new CliError(`Cannot find the configuration file '${path}'`);
    }
  }
  return undefined;
}

/** The servers that a file names. */
export interface ConfigNodes {
  readonly path: string;
  readonly names: readonly string[];
  /** The one with `isDefault: true`, else `default`, else the only one; undefined if none of these is there. */
  readonly chosen: string | undefined;
  /** What is shown of a node, even if its entry is not usable: empty texts for what it does not say. */
  shown(name: string): { readonly address: string; readonly nodeId: string };
  readonly entries: Readonly<Record<string, unknown>>;
}

/** @throws {CliError} with the file's path */
export function readNodes({ path, text }: FoundConfig): ConfigNodes {
  const fail = failWith(path);
  const entries = asRecord(asRecord(parseYaml(text, fail))?.["nodes"]);
  if (!entries || Object.keys(entries).length === 0) return fail("it has no 'nodes'");
  const names = Object.keys(entries);
  const defaults = names.filter((name) => asRecord(entries[name])?.["isDefault"] === true);
  if (defaults.length > 1) fail(`several nodes have 'isDefault: true': ${defaults.join(", ")}`);
  const chosen = defaults[0] ?? (names.includes("default") ? "default" : names.length === 1 ? names[0] : undefined);
  const word = (value: unknown) => typeof value === "string" ? value : "";
  const shown = (name: string) => {
    const entry = asRecord(entries[name]);
    return { address: word(entry?.["address"]), nodeId: word(entry?.["nodeId"]) };
  };
  return { path, names, chosen, shown, entries };
}

/** A node with all that it takes to connect. @throws {CliError} with the file's path */
export function nodeOf(nodes: ConfigNodes, name: string): ClientNode {
  const { path, names, entries, shown } = nodes;
  const fail = failWith(path);
  const entry = asRecord(Object.hasOwn(entries, name) ? entries[name] : undefined);
  if (!entry) return fail(`it has no node '${name}', but ${names.join(", ")}`);
  const field = (key: string): string => {
    const value = entry[key];
    return typeof value === "string" && value !== "" ? value : fail(`node '${name}' has no '${key}'`);
  };
  const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : ".";
  const pem = (key: string) => readPem(field(key), folder, fail);
  const [cert, key, ca] = [pem("cert"), pem("key"), pem("ca")];
  return {
    name,
    nodeId: shown(name).nodeId,
    address: field("address"),
    cert: cert.text,
    key: key.text,
    ca: ca.text,
    certFile: cert.file ?? path,
    ...(key.file !== undefined && isExposed(key.file) && { exposedKey: key.file }),
  };
}

interface Pem {
  readonly text: string;
  readonly file?: string;
}

/** A PEM text as it is; of a path, relative to the configuration file, what the file holds. */
function readPem(value: string, folder: string, fail: (what: string) => never): Pem {
  if (/\n|-----BEGIN/.test(value)) return { text: value };
  const file = value.startsWith("/") ? value : `${folder}/${value}`;
  try {
    return { text: Deno.readTextFileSync(file), file };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return fail(`it names the file '${file}', which does not exist`);
    if (error instanceof Deno.errors.PermissionDenied) return fail(`it names the file '${file}': permission denied`);
    throw error;
  }
}

function isExposed(file: string): boolean {
  return ((Deno.statSync(file).mode ?? 0) & 0o077) !== 0;
}

/** The named node, or the chosen one. @throws {CliError} with the file's path */
export function chooseNode(found: FoundConfig, wanted?: string): ClientNode {
  const nodes = readNodes(found);
  const name = wanted ?? nodes.chosen;
  if (name !== undefined) return nodeOf(nodes, name);
  return failWith(found.path)(`it has several nodes; choose one with --node: ${nodes.names.join(", ")}`);
}

function failWith(path: string): (what: string) => never {
  return (what) => {
    throw new CliError(`Cannot use '${path}': ${what}`);
  };
}

function parseYaml(text: string, fail: (what: string) => never): unknown {
  try {
    return parse(text);
  } catch (error) {
    return fail(error instanceof Error ? error.message.split("\n")[0]! : String(error));
  }
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : undefined;
}
