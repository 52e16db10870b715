import { currentHome } from "../core/values/home.ts";
import { startLocalServer } from "./autostart.ts";
import { connectTo, isListening } from "./client.ts";
import { chooseNode, type ClientNode, findConfig, type FoundConfig } from "./client_config.ts";
import type { Connection, GlobalFlags } from "./context.ts";
import { CliError } from "./errors.ts";
import type { HostCommands } from "./host.ts";
import type { Terminal } from "./terminal.ts";

async function find(flags: GlobalFlags): Promise<FoundConfig | undefined> {
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

async function choose(found: FoundConfig, flags: GlobalFlags, terminal: Terminal): Promise<ClientNode> {
  if (found.exposed) {
    await terminal.err(`joblet: warning: '${found.path}' holds a private key that others may read: chmod 600 it\n`);
  }
  return chooseNode(found, flags.node);
}

/** Connects to the node that the flags and the configuration name. @throws {CliError} */
export async function connect(flags: GlobalFlags, terminal: Terminal): Promise<Connection> {
  const found = await find(flags);
  if (!found) {
    throw new CliError(
      "Cannot find an rnx-config.yml: run 'joblet certs init' and 'joblet server' as root, or give --config",
    );
  }
  return connectTo(await choose(found, flags, terminal));
}

/**
 * Like `connect`, but sets up and starts a server on this host if there is no configuration at all, or if its own server,
 * by its home's own configuration, does not run. @throws {CliError}
 */
export async function connectOrStart(flags: GlobalFlags, terminal: Terminal, host: HostCommands): Promise<Connection> {
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
