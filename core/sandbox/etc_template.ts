/**
 * The minimal /etc that all jobs share, read-only: what programs need to find libraries, users, hosts and
 * certificates, and nothing that says more about the host. It is made anew at each start of the server.
 */

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

/** User name of a job's program. */
export const JOB_USER = "job";

export interface EtcOptions {
  readonly uid: number;
  readonly gid: number;
  /** The host's /etc, another one in tests. @default {"/etc"} */
  readonly source?: string;
}

/** Makes the folder. @param target absolute path; its former contents are replaced */
export function prepareEtc(target: string, options: EtcOptions): void {
  const source = options.source ?? "/etc";
  removeTree(target);
  Deno.mkdirSync(target, { recursive: true, mode: 0o755 });
  for (const name of COPIED) copy(`${source}/${name}`, `${target}/${name}`, 0);
  const { uid, gid } = options;
  write(`${target}/passwd`, [
    "root:x:0:0:root:/root:/usr/sbin/nologin",
    `${JOB_USER}:x:${uid}:${gid}:job:/work:/bin/sh`,
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
  ]);
  write(`${target}/group`, ["root:x:0:", `${JOB_USER}:x:${gid}:`, "nogroup:x:65534:"]);
}

function write(path: string, lines: readonly string[]): void {
  Deno.writeTextFileSync(path, lines.join("\n") + "\n");
  Deno.chmodSync(path, 0o644);
}

function removeTree(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
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
