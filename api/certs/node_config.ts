/** Joblet's two configuration files, with the PEM texts in them. */
import { stringify } from "@std/yaml";
import type { KeyPairPem } from "./x509.ts";

interface Endpoint {
  readonly address: string;
  readonly nodeId: string;
}

interface ServerFile extends Endpoint {
  readonly port: number;
  readonly server: KeyPairPem;
  readonly ca: string;
}

/** joblet-config.yml: the server's file. */
export function formatServerConfig({ address, port, nodeId, server, ca }: ServerFile): string {
  const text = toYaml({
    version: "3.0",
    server: { address, port, nodeId },
    security: { serverCert: server.cert, serverKey: server.key, caCert: ca },
  });
  return `# Configuration of the joblet server. It holds a private key: keep its mode 600.\n${text}`;
}

interface ClientFile extends Endpoint {
  readonly client: KeyPairPem;
  readonly ca: string;
}

/** rnx-config.yml: a client's file with one node. */
export function formatClientConfig({ address, nodeId, client, ca }: ClientFile): string {
  const text = toYaml({
    version: "3.0",
    nodes: { default: { address, nodeId, isDefault: true, cert: client.cert, key: client.key, ca } },
  });
  return `# How to reach a joblet server. It holds a private key: keep its mode 600.\n${text}`;
}

function toYaml(value: unknown): string {
  // No folding: a PEM text must keep its lines.
  return stringify(value, { lineWidth: -1 });
}
