/** What a client reads: an rnx-config.yml, or PEM files, and how both are brought up to date. */
import * as v from "valibot";
import { parse } from "@std/yaml";
import { EngineError } from "../../core/errors.ts";
import type { Home } from "../../core/values/home.ts";
import { loadServerConfig } from "../config/config.ts";
import { readFileAt, readPrivateFile, writePrivateFile } from "../config/private_file.ts";
import { clientAddress } from "./host_names.ts";
import { formatClientConfig } from "./node_config.ts";
import { type CertificateRecord, serialOf } from "./registry.ts";
import type { KeyPairPem } from "./x509.ts";
import { editYaml } from "./yaml_edit.ts";

/** Where a client's certificate goes; absolute paths, at least one. */
export interface ClientPlaces {
  /** An rnx-config.yml. */
  readonly file?: string;
  /** A folder for NAME.pem, NAME.key and ca.pem. */
  readonly pemFolder?: string;
}

const NodeSchema = v.object({ address: v.string(), nodeId: v.optional(v.string(), ""), cert: v.optional(v.string()) });
const FileSchema = v.object({ nodes: v.object({ default: NodeSchema }) });

/** Path of the administrator's client file. */
export function clientConfigPath(home: Home): string {
  return `${home.config}/rnx-config.yml`;
}

/** Writes the certificate to its places. @param ca one CA or several, PEM @returns the files */
export async function writeClient(
  home: Home,
  name: string,
  { file, pemFolder }: ClientPlaces,
  client: KeyPairPem,
  ca: string,
): Promise<string[]> {
  const written: string[] = [];
  if (pemFolder !== undefined) {
    await writePrivateFile(`${pemFolder}/${name}.key`, client.key);
    await writePrivateFile(`${pemFolder}/${name}.pem`, client.cert, 0o644);
    await writePrivateFile(`${pemFolder}/ca.pem`, ca, 0o644);
    written.push(...[`${name}.pem`, `${name}.key`, "ca.pem"].map((end) => `${pemFolder}/${end}`));
  }
  if (file !== undefined) {
    await writePrivateFile(file, formatClientConfig({ ...endpointOf(home), client, ca }));
    written.push(file);
  }
  return written;
}

/** Exchanges the CAs in a client's files if they still hold that very certificate. @returns the files that were written */
export async function rewriteClientCa(record: CertificateRecord, ca: string): Promise<string[]> {
  const written: string[] = [];
  const { file, pemFolder, name, serial } = record;
  if (file !== undefined) {
    const text = textIfThere(() => readPrivateFile(file));
    if (text !== undefined && certificateIn(text) === serial) {
      await writePrivateFile(file, editYaml(text, { "nodes.default.ca": ca }));
      written.push(file);
    }
  }
  if (pemFolder !== undefined) {
    const cert = textIfThere(() => readFileAt(`${pemFolder}/${name}.pem`, ""));
    if (cert !== undefined && serialOf(cert) === serial) {
      await writePrivateFile(`${pemFolder}/ca.pem`, ca, 0o644);
      written.push(`${pemFolder}/ca.pem`);
    }
  }
  return written;
}

/** Serial number of the certificate in an rnx-config.yml; undefined if there is none in the file itself. */
function certificateIn(text: string): string | undefined {
  const { success, output } = v.safeParse(FileSchema, parse(text));
  const cert = success ? output.nodes.default.cert : undefined;
  return cert?.includes("-----BEGIN CERTIFICATE-----") ? serialOf(cert) : undefined;
}

function textIfThere(read: () => string): string | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof EngineError && error.kind === "not_found") return undefined;
    throw error;
  }
}

/** Where clients find the server: as the administrator does, or, if that file has moved away, as the server says. */
function endpointOf(home: Home): { address: string; nodeId: string } {
  const text = textIfThere(() => readPrivateFile(clientConfigPath(home)));
  if (text !== undefined) {
    const { success, output } = v.safeParse(FileSchema, parse(text));
    if (success) return output.nodes.default;
  }
  const { address, port, nodeId } = loadServerConfig(home);
  return { address: clientAddress(address, port, []), nodeId };
}
