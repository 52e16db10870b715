import { currentHome } from "../core/values/home.ts";
import { startLocalServer } from "./autostart.ts";
import { connectTo, isListening } from "./client.ts";
import { chooseNode, type ClientNode, findConfig, type FoundConfig, nodeOf, readNodes } from "./client_config.ts";
import type { Connection, KnownNode, NodeFlags } from "./context.ts";
import { CliError } from "./errors.ts";
import type { HostCommands } from "./host.ts";
import type { Terminal } from "./terminal.ts";

/** The configuration file that the flags and the environment name; undefined if there is none. @throws {CliError} */
export async function find(flags: NodeFlags): Promise<FoundConfig | undefined> {
  return await findConfig({
    ...(flags.config === undefined ? {} : { configFlag: flags.config }),
    ...environment("RNX_CONFIG", "rnxConfig"),
    ...environment("JOBLET_HOME", "jobletHome"),
    ...environment("HOME", "userHome"),
  });
}

function environment<K extends string>(name: string, key: K): { readonly [P in K]?: string } {
  const value = Deno.env.get(name);
  return (value ? { [key]: value } : {}) as { readonly [P in K]?: string };
}

async function choose(found: FoundConfig, flags: NodeFlags, terminal: Terminal): Promise<ClientNode> {
  const node = chooseNode(found, flags.node);
  const exposed = found.exposed ? found.path : node.exposedKey;
  if (exposed !== undefined) {
    const cure = `chmod 600 ${exposed}`;
    await terminal.err(
      `${terminal.program}: warning: '${exposed}' holds a private key that others may read: ${cure}\n`,
    );
  }
  return node;
}

/** Connects to the node that the flags and the configuration name. @throws {CliError} */
export async function connect(flags: NodeFlags, terminal: Terminal): Promise<Connection> {
  return connectTo(await choose(await mustFind(flags), flags, terminal));
}

async function mustFind(flags: NodeFlags): Promise<FoundConfig> {
  const found = await find(flags);
  if (found) return found;
  throw new CliError(
    "Cannot find an rnx-config.yml: run 'joblet certs init' and 'joblet server' as root, or give --config",
  );
}

/** All servers of the configuration file. @throws {CliError} */
export async function knownNodes(flags: NodeFlags): Promise<readonly KnownNode[]> {
  const found = await mustFind(flags);
  const nodes = readNodes(found);
  return nodes.names.map((name) => ({
    name,
    ...nodes.shown(name),
    isDefault: name === nodes.chosen,
    connect: () => connectTo(nodeOf(nodes, name)),
  }));
}

/**
 * Like `connect`, but sets up and starts a server on this host if there is no configuration at all, or if its own server,
 * by its home's own configuration, does not run. @throws {CliError}
 */
export async function connectOrStart(flags: NodeFlags, terminal: Terminal, host: HostCommands): Promise<Connection> {
  const found = await find(flags);
  const own = `${currentHome().config}/rnx-config.yml`;
  if (found && found.path !== own) return connectTo(await choose(found, flags, terminal));
  const node = found && await choose(found, flags, terminal);
  if (node && (Deno.uid() !== 0 || await isListening(node.address))) return connectTo(node);
  await startLocalServer(host, terminal, async () => {
    const now = await find(flags);
    return now?.path === own && await isListening(chooseNode(now, flags.node).address);
  });
  return await connect(flags, terminal);
}
