/** rnx-config.yml: which servers there are and the certificate to use with each. */
import { parse } from "@std/yaml";
import { DEFAULT_HOME } from "../core/values/home.ts";
import { CliError } from "./errors.ts";

/** One server and this client's credentials for it; PEM texts. */
export interface ClientNode {
  readonly name: string;
  /** host:port */
  readonly address: string;
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
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

/**
 * Reads the file and chooses a node: the named one, else the one with `isDefault: true`, else `default`, else the only one.
 * @throws {CliError} with the file's path
 */
export function chooseNode({ path, text }: FoundConfig, wanted?: string): ClientNode {
  const fail = (what: string): never => {
    throw new CliError(`Cannot use '${path}': ${what}`);
  };
  const nodes = asRecord(asRecord(parseYaml(text, fail))?.["nodes"]);
  if (!nodes || Object.keys(nodes).length === 0) return fail("it has no 'nodes'");
  const names = Object.keys(nodes);
  const defaults = names.filter((name) => asRecord(nodes[name])?.["isDefault"] === true);
  if (defaults.length > 1) fail(`several nodes have 'isDefault: true': ${defaults.join(", ")}`);
  const name = wanted ?? defaults[0] ??
    (names.includes("default") ? "default" : names.length === 1 ? names[0] : undefined);
  if (name === undefined) return fail(`it has several nodes; choose one with --node: ${names.join(", ")}`);
  const node = asRecord(nodes[name]);
  if (!node) return fail(`it has no node '${name}', but ${names.join(", ")}`);
  const field = (key: string): string => {
    const value = node[key];
    return typeof value === "string" && value !== "" ? value : fail(`node '${name}' has no '${key}'`);
  };
  return { name, address: field("address"), cert: field("cert"), key: field("key"), ca: field("ca") };
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
