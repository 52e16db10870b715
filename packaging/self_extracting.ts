import { bundle } from "./bundle.ts";
import { TAR_END, type TarMember, tarMembers } from "./tar.ts";

/**
 * Makes the single file that unpacks itself: header.sh, then a gzipped tar of this Deno and the bundle. Equal input gives equal
 * bytes, so that a file that is up to date stays untouched.
 * @param root the repository, absolute
 */
export async function buildSelfExtracting(root: string): Promise<Uint8Array> {
  const template = await Deno.readTextFile(`${root}/packaging/header.sh`);
  const files = await bundle(root);
  const deno = await packedDeno(`${root}/dist`);
  const hash = await sha256(deno, tarMembers(files), new TextEncoder().encode(template));
  const complete: TarMember = {
    name: "complete",
    mode: 0o644,
    bytes: new TextEncoder().encode(`${hash}-deno\n`),
  };
  const rest = await gzip(tarMembers([...files, complete]), TAR_END);
  return concat(new TextEncoder().encode(header(template, hash)), deno, rest);
}

/** The header with its own length in it; the placeholder is as wide as the number. */
export function header(template: string, hash: string): string {
  const filled = template.replace("@HASH@", hash);
  const width = 8;
  const offset = new TextEncoder().encode(filled).length - "@OFFSET@".length + width + 1;
  return filled.replace("@OFFSET@", String(offset).padEnd(width));
}

/** A gzip member with Deno in a tar. Compressing takes seconds, so it is kept in dist/. */
async function packedDeno(dist: string): Promise<Uint8Array<ArrayBuffer>> {
  const path = Deno.execPath();
  const { size, mtime } = await Deno.stat(path);
  const kept = `${dist}/.deno-${Deno.version.deno}-${Deno.build.arch}-${size}-${mtime?.getTime() ?? 0}.tar.gz`;
  try {
    return await Deno.readFile(kept);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const packed = await gzip(tarMembers([{ name: "deno", mode: 0o755, bytes: await Deno.readFile(path) }]));
  await Deno.mkdir(dist, { recursive: true });
  const temporary = await Deno.makeTempFile({ dir: dist, prefix: ".deno-" });
  await Deno.writeFile(temporary, packed);
  await Deno.rename(temporary, kept);
  return packed;
}

async function gzip(...parts: readonly Uint8Array<ArrayBuffer>[]): Promise<Uint8Array<ArrayBuffer>> {
  const packed = ReadableStream.from(parts).pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/** The first 16 hexadecimal digits: they name a cache folder, they prove nothing. */
async function sha256(...parts: readonly Uint8Array<ArrayBuffer>[]): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", concat(...parts));
  return new Uint8Array(digest).toHex().slice(0, 16);
}

function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
