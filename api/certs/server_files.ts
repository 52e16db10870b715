/** What the server reads, written where its configuration says that it is: in the file itself, or in files of its own. */
import { parse } from "@std/yaml";
import * as v from "valibot";
import type { Home } from "../../core/values/home.ts";
import { serverConfigPath } from "../config/config.ts";
import { readPrivateFile, writePrivateFile } from "../config/private_file.ts";
import { defaultCrlPath, fileOf } from "../config/tls_config.ts";
import { editYaml } from "./yaml_edit.ts";

/** PEM texts; what is absent stays. */
interface ServerMaterial {
  readonly serverKey?: string;
  readonly serverCert?: string;
  readonly caCert?: string;
  readonly crl?: string;
}

const Schema = v.object({
  security: v.object({
    serverCert: v.string(),
    serverKey: v.string(),
    caCert: v.string(),
    crl: v.optional(v.string()),
  }),
});

/** @returns the files that were written */
export async function writeServerMaterial(home: Home, material: ServerMaterial): Promise<string[]> {
  const path = serverConfigPath(home);
  const text = readPrivateFile(path);
  const { security } = v.parse(Schema, parse(text));
  const written: string[] = [];
  const embedded: Record<string, string> = {};
  for (const key of ["serverKey", "serverCert", "caCert", "crl"] as const) {
    const pem = material[key];
    if (pem === undefined) continue;
    const file = fileOf(security[key] ?? defaultCrlPath(home.config), home.config);
    if (file === undefined) {
      embedded[`security.${key}`] = pem;
      continue;
    }
    await writePrivateFile(file, pem, key === "serverKey" ? 0o600 : await modeOf(file) ?? 0o644);
    written.push(file);
  }
  if (Object.keys(embedded).length > 0) {
    await writePrivateFile(path, editYaml(text, embedded));
    written.push(path);
  }
  return written;
}

async function modeOf(path: string): Promise<number | undefined> {
  try {
    return ((await Deno.stat(path)).mode ?? 0o600) & 0o777;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
