/** What a guest is made of, each with the Debian package that has it; tests/run.sh installs them. */
export const GUEST_NEEDS: readonly { readonly path: string; readonly package: string }[] = [
  { path: "/usr/bin/qemu-system-x86_64", package: "qemu-system-x86" },
  { path: "/usr/lib/qemu/virtiofsd", package: "qemu-system-common" },
  { path: "/boot/vmlinuz-*-cloud-amd64", package: "linux-image-cloud-amd64" },
  { path: "/bin/busybox", package: "busybox-static" },
  { path: "/usr/bin/cpio", package: "cpio" },
  { path: "/sbin/modprobe", package: "kmod" },
  { path: "/sbin/mkfs.ext4", package: "e2fsprogs" },
  { path: "/usr/bin/unshare", package: "util-linux" },
];

/** Release of the newest guest kernel whose modules are there too; undefined if there is none. */
export function guestKernel(): string | undefined {
  const releases = [...Deno.readDirSync("/boot")]
    .map(({ name }) => /^vmlinuz-(.*-cloud-amd64)$/.exec(name)?.[1])
    .filter((release) => release !== undefined && exists(`/lib/modules/${release}/modules.dep`));
  return releases.sort((a, b) => a!.localeCompare(b!, "en", { numeric: true })).at(-1);
}

/** Packages that are missing; empty where guests can be booted. */
export function missingNeeds(): string[] {
  const missing = GUEST_NEEDS.filter(({ path }) => path.includes("*") ? guestKernel() === undefined : !exists(path));
  return missing.map(({ package: name }) => name);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
