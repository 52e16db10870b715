/** The mounts that sandboxes are made of, as steps. Paths without a leading slash are below the root that is being made. */
import { constants as c } from "../../ffi/mod.ts";
import type { Step } from "./step.ts";

export function mkdir(name: string, mode = 0o755): Step {
  return { name: `make /${name}`, call: "mkdirat", args: [c.AT_FDCWD, name, mode] };
}

export function chown(name: string, uid: number, gid: number): Step {
  return { name: `give /${name} to ${uid}`, call: "fchownat", args: [c.AT_FDCWD, name, uid, gid, 0] };
}

export function link(name: string, target: string): Step {
  return { name: `link /${name} to ${target}`, call: "symlinkat", args: [target, c.AT_FDCWD, name] };
}

/** @param target as mount(2) takes it; `name` is what people read */
export function tmpfs(name: string, target: string, flags: number, options: string): Step {
  return { name: `mount tmpfs on /${name}`, call: "mount", args: ["tmpfs", target, "tmpfs", flags, options] };
}

/** Shows a file or folder at another place, too; it has the flags of the mount that it comes from. */
export function bind(name: string, source: string, target: string, recursive = false): Step {
  return { name, call: "mount", args: [source, target, 0, c.MS_BIND | (recursive ? c.MS_REC : 0), 0] };
}

/** struct mount_attr {attr_set, attr_clr, propagation, userns_fd} of linux/mount.h. */
function mountAttr(attributes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(attributes), true);
  return bytes;
}

export function setAttributes(name: string, path: string, attributes: number, recursive = false): Step {
  const flags = recursive ? c.AT_RECURSIVE : 0;
  return { name, call: "mount_setattr", args: [c.AT_FDCWD, path, flags, mountAttr(attributes), 32] };
}
