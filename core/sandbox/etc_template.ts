/**
 * The minimal /etc that all jobs share, read-only: what programs need to find libraries, users, hosts and
 * certificates, and nothing that says more about the host. It is made anew at each start of the server.
 */

import { DEFAULT_UID } from "../jobs/spec.ts";

/** Copied from the host if they are there. Nothing here may hold secrets. */
const COPIED = [
  "alternatives",
  "ca-certificates.conf",
  "host.conf",
  "hosts",
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "localtime",
  "mime.types",
  "nsswitch.conf",
  "os-release",
  "pki/ca-trust",
  "pki/tls/certs",
  "protocols",
  "resolv.conf",
  "services",
  "ssl/certs",
  "ssl/openssl.cnf",
  "timezone",
] as const;

/** Users that a job's /etc/passwd knows, by id. */
const USERS: ReadonlyMap<number, string> = new Map([[0, "root"], [DEFAULT_UID, "job"], [65_534, "nobody"]]);

/** Name of a user in a job; one that has none is called by its id. */
export function userName(uid: number): string {
  return USERS.get(uid) ?? String(uid);
}

/** Fills the folder. @param target absolute path of an empty folder @param source the host's /etc, another one in tests */
export function prepareEtc(target: string, source = "/etc"): void {
  for (const name of COPIED) copy(`${source}/${name}`, `${target}/${name}`, 0);
  write(`${target}/passwd`, [
    "root:x:0:0:root:/work:/bin/sh",
    `job:x:${DEFAULT_UID}:${DEFAULT_UID}:job:/work:/bin/sh`,
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
  ]);
  write(`${target}/group`, ["root:x:0:", `job:x:${DEFAULT_UID}:`, "nogroup:x:65534:"]);
}

function write(path: string, lines: readonly string[]): void {
  Deno.writeTextFileSync(path, lines.join("\n") + "\n");
  Deno.chmodSync(path, 0o644);
}

const MAX_DEPTH = 8;

function copy(from: string, to: string, depth: number): void {
  const info = stat(from, depth);
  if (!info || depth > MAX_DEPTH) return;
  Deno.mkdirSync(to.slice(0, to.lastIndexOf("/")), { recursive: true, mode: 0o755 });
  if (info.isSymlink) return Deno.symlinkSync(Deno.readLinkSync(from), to);
  if (info.isDirectory) {
    Deno.mkdirSync(to, { mode: 0o755 });
    for (const entry of Deno.readDirSync(from)) copy(`${from}/${entry.name}`, `${to}/${entry.name}`, depth + 1);
  } else if (info.isFile && isWorldReadable(info)) {
    Deno.copyFileSync(from, to);
    Deno.chmodSync(to, 0o644);
  }
}

/** Links at the top (resolv.conf, localtime) are followed, as their targets may lie outside of what jobs see. */
function stat(path: string, depth: number): Deno.FileInfo | undefined {
  try {
    return depth === 0 ? Deno.statSync(path) : Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function isWorldReadable(info: Deno.FileInfo): boolean {
  return ((info.mode ?? 0) & 0o004) !== 0;
}

/**
 * Makes the folder anew below `folder`, so that jobs which run on keep theirs.
 * @param keepOlder jobs run that may have an older one @returns its path
 */
export function freshEtc(folder: string, keepOlder: boolean): string {
  Deno.mkdirSync(folder, { recursive: true, mode: 0o755 });
  if (!keepOlder) {
    for (const { name } of [...Deno.readDirSync(folder)]) Deno.removeSync(`${folder}/${name}`, { recursive: true });
  }
  const path = Deno.makeTempDirSync({ dir: folder, prefix: "etc-" });
  Deno.chmodSync(path, 0o755);
  prepareEtc(path);
  return path;
}
