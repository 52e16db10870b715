/** `rnx nodes` and `rnx --version`: which servers there are, asked one by one. */
import { Code, ConnectError } from "@connectrpc/connect";
import { command } from "../../command.ts";
import type { GlobalFlags, KnownNode } from "../../context.ts";
import { describeError } from "../../errors.ts";
import { formatTable, printable } from "../../output/table.ts";
import { VERSION } from "../../version.ts";

/** How long a server may take to answer. */
const PROBE_MS = 2000;

/** "active", "unreachable: why" or "refused: why". */
export type NodeStatus = "active" | `unreachable: ${string}` | `refused: ${string}`;

/** Makes a cheap call. */
export async function probe(node: KnownNode): Promise<NodeStatus> {
  try {
    using connection = node.connect();
    await connection.jobs.listJobs({ pageSize: 1 }, { timeoutMs: PROBE_MS });
    return "active";
  } catch (error) {
    if (error instanceof ConnectError && error.code === Code.DeadlineExceeded) {
      return `unreachable: no answer within ${PROBE_MS / 1000} s`;
    }
    const { message } = describeError(error, node.address);
    const [, reason = message] = /^Cannot reach the server at \S+: ([^;]*)/.exec(message) ?? [];
    return reason === message ? `refused: ${message}` : `unreachable: ${reason}`;
  }
}

export const nodes = command<GlobalFlags, []>(async (cli, flags) => {
  const known = await cli.nodes(flags);
  const statuses = await Promise.all(known.map(probe));
  if (flags.json) {
    const rows = known.map(({ name, address, nodeId, isDefault }, index) => {
      return { name, address, nodeId, status: statuses[index], default: isDefault };
    });
    await cli.terminal.out(`${JSON.stringify(rows, null, 2)}\n`);
    return 0;
  }
  const rows = known.map(({ name, address, nodeId, isDefault }, index) => [
    `${isDefault ? "* " : "  "}${printable(name)}`,
    printable(nodeId) || "-",
    printable(address) || "-",
    printable(statuses[index]!),
  ]);
  await cli.terminal.out(formatTable([["  NAME", "NODE ID", "ADDRESS", "STATUS"], ...rows], Infinity));
  await cli.terminal.out("\n* default\n");
  return 0;
});

/** Of the server there is no version to ask for, but whether it answers. */
export const version = command<GlobalFlags, []>(async (cli, flags) => {
  const rnx = { version: VERSION, platform: `${Deno.build.os}/${Deno.build.arch}`, deno_version: Deno.version.deno };
  const joblet = await serverStatus(cli.nodes(flags), flags.node);
  if (flags.json) {
    await cli.terminal.out(`${JSON.stringify({ rnx, joblet }, null, 2)}\n`);
    return 0;
  }
  const { node, address, status } = joblet;
  const where = address === "" ? printable(node) : `${printable(node)} at ${printable(address)}`;
  await cli.terminal.out(
    `rnx ${rnx.version} (${rnx.platform}, Deno ${rnx.deno_version})\njoblet: ${where === "" ? "" : `${where}, `}${
      printable(status)
    }\n`,
  );
  return 0;
});

async function serverStatus(known: Promise<readonly KnownNode[]>, wanted: string | undefined) {
  try {
    const nodes = await known;
    const node = nodes.find(({ name, isDefault }) => wanted === undefined ? isDefault : name === wanted);
    if (!node) return { node: wanted ?? "", address: "", status: "unknown: no such node in the configuration file" };
    return { node: node.name, address: node.address, status: await probe(node) };
  } catch (error) {
    return { node: "", address: "", status: `unknown: ${describeError(error, "").message}` };
  }
}
