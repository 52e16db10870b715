import * as c from "./constants.ts";
import { closeFd } from "./fd.ts";
import { check, libc } from "./libc.ts";
import { addressOf, cString } from "./memory.ts";
import { syscallNumber } from "./syscall_numbers.ts";

export interface OpenTreeOptions {
  /** MOUNT_ATTR_* flags that the mount gets. */
  readonly attributes: number;
  /** fd of a user namespace: ids on the disk are the ids of that namespace. Absent: the host's. */
  readonly idMap?: number;
}

const OPEN_HOW_BYTES = 24; // sizeof(struct open_how): flags, mode, resolve
const MOUNT_ATTR_BYTES = 32; // sizeof(struct mount_attr): attr_set, attr_clr, propagation, userns_fd

/**
 * A mount of a folder that is attached nowhere yet, as an fd that the caller closes. The folder is found below another one,
 * without a step through links or out of it.
 * @throws {SyscallError} EINVAL from mount_setattr: the file system or the kernel can't map ids
 */
export function openMountTree(parentFd: number, name: string, { attributes, idMap }: OpenTreeOptions): number {
  const folder = openBeneath(parentFd, name);
  try {
    const tree = openTree(folder);
    try {
      setAttributes(tree, attributes, idMap);
      return tree;
    } catch (error) {
      closeFd(tree);
      throw error;
    }
  } finally {
    closeFd(folder);
  }
}

function openBeneath(parentFd: number, name: string): number {
  const how = new BigUint64Array(OPEN_HOW_BYTES / 8);
  how[0] = BigInt(c.O_PATH | c.O_DIRECTORY | c.O_CLOEXEC);
  how[2] = BigInt(c.RESOLVE_BENEATH | c.RESOLVE_NO_SYMLINKS | c.RESOLVE_NO_MAGICLINKS);
  const [path, bytes] = [cString(name), new Uint8Array(how.buffer)];
  return call("openat2", name, BigInt(parentFd), addressOf(path), addressOf(bytes), BigInt(OPEN_HOW_BYTES), 0n);
}

function openTree(folder: number): number {
  const flags = BigInt(c.OPEN_TREE_CLONE | c.O_CLOEXEC | c.AT_EMPTY_PATH);
  return call("open_tree", `fd ${folder}`, BigInt(folder), addressOf(EMPTY), flags, 0n, 0n);
}

function setAttributes(tree: number, attributes: number, idMap: number | undefined): void {
  const attr = new BigUint64Array(MOUNT_ATTR_BYTES / 8);
  attr[0] = BigInt(attributes | (idMap === undefined ? 0 : c.MOUNT_ATTR_IDMAP));
  attr[3] = BigInt(idMap ?? 0);
  const bytes = new Uint8Array(attr.buffer);
  const size = BigInt(MOUNT_ATTR_BYTES);
  call(
    "mount_setattr",
    `fd ${tree}`,
    BigInt(tree),
    addressOf(EMPTY),
    BigInt(c.AT_EMPTY_PATH),
    addressOf(bytes),
    size,
  );
}

const EMPTY = cString("");

type Words = [bigint, bigint, bigint, bigint, bigint];

function call(name: "openat2" | "open_tree" | "mount_setattr", target: string, ...words: Words): number {
  return check(name, () => libc().syscall(BigInt(syscallNumber(name)), ...words), target);
}
