import { currentHome } from "../../core/values/home.ts";
import { command } from "../command.ts";

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
  const files = await host.certsInit({ home: currentHome(), address, port, hosts, force, ...validity });
  await terminal.out(files.map((file) => `wrote ${file}\n`).join(""));
  return 0;
});

export interface CertsClientFlags {
  readonly role: string;
  readonly days?: number;
  readonly out?: string;
}

/** `joblet certs client NAME`: a client's certificate, as an rnx-config.yml. */
export const certsClient = command<CertsClientFlags, [string]>(async ({ host, terminal }, flags, name) => {
  const { role, days, out } = flags;
  const options = { ...(days === undefined ? {} : { days }), ...(out === undefined ? {} : { out }) };
  const file = await host.certsClient({ home: currentHome(), name, role, ...options });
  await terminal.out(`wrote ${file}\n`);
  return 0;
});
