/** A folder of the host that jobs see read-only, or a link that leads into one. */
export type RootEntry =
  | { readonly kind: "bind"; readonly name: string; readonly source: string }
  | { readonly kind: "link"; readonly name: string; readonly target: string };

const PROGRAM_FOLDERS = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"] as const;

/**
 * What a job's root shows of the host's programs: /usr and, as links or folders like the host's own, /bin, /sbin and
 * the /lib folders. @param root the host's root, another one in tests
 */
export function hostRootEntries(root = "/"): RootEntry[] {
  const entries: RootEntry[] = [];
  for (const name of PROGRAM_FOLDERS) {
    const path = `${root}${name}`;
    const info = lstat(path);
    if (info?.isSymlink) {
      entries.push({ kind: "link", name, target: Deno.readLinkSync(path).replace(/^\//, "") });
    } else if (info?.isDirectory) {
      entries.push({ kind: "bind", name, source: path });
    }
  }
  return entries;
}

function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
