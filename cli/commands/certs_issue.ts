import { currentHome } from "../../core/values/home.ts";
import { dateOf } from "../../core/values/validity.ts";
import { command } from "../command.ts";
import { CliError } from "../errors.ts";
import type { IssuedFiles } from "../host.ts";
import type { Terminal } from "../terminal.ts";

async function tell(terminal: Terminal, { files, notAfter }: IssuedFiles, whose: string): Promise<void> {
  const wrote = files.map((file) => `wrote ${file}\n`).join("");
  await terminal.out(`${wrote}${whose} certificate is valid until ${dateOf(notAfter)}\n`);
}

export interface CertsInitFlags {
  readonly address: string;
  readonly port: number;
  readonly host?: readonly string[];
  readonly days?: number;
  readonly force: boolean;
}

/** `joblet certs init`: CA, server and admin certificates, and the configuration files that hold them. */
export const certsInit = command<CertsInitFlags, []>(async ({ host, terminal }, flags) => {
  const { address, port, force, days, host: hosts = [] } = flags;
  const validity = days === undefined ? {} : { days };
  const issued = await host.certsInit({ home: currentHome(), address, port, hosts, force, ...validity });
  await tell(terminal, issued, "the admin's");
  return 0;
});

export interface CertsClientFlags {
  readonly role: string;
  readonly days?: number;
  readonly out?: string;
  readonly pem?: string;
}

/** `joblet certs client NAME`: a client's certificate, as an rnx-config.yml or PEM files. */
export const certsClient = command<CertsClientFlags, [string]>(async ({ host, terminal }, flags, name) => {
  const { role, days, out, pem } = flags;
  const issued = await host.certsClient({
    home: currentHome(),
    name,
    role,
    ...(days !== undefined && { days }),
    ...(out !== undefined && { out }),
    ...(pem !== undefined && { pemFolder: pem }),
  });
  await tell(terminal, issued, `${name}'s`);
  return 0;
});

export interface CertsRenewFlags {
  readonly server: boolean;
  readonly days?: number;
  readonly out?: string;
}

/** `joblet certs renew NAME|--server`. */
export const certsRenew = command<CertsRenewFlags, [string?]>(async ({ host, terminal }, flags, name) => {
  const { server, days, out } = flags;
  if ((name === undefined) !== server) throw new CliError("Cannot renew: name a client, or give --server", 2);
  if (server && out !== undefined) {
    throw new CliError("Cannot use --out with --server: its configuration says where", 2);
  }
  const issued = await host.certsRenew({
    home: currentHome(),
    ...(name !== undefined && { name }),
    ...(days !== undefined && { days }),
    ...(out !== undefined && { out }),
  });
  await tell(terminal, issued, name === undefined ? "the server's" : `${name}'s`);
  return 0;
});
