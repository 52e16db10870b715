/**
 * Folders of jobs whose /work is kept: `<root>/<job id>`, on the host's disk, for all attempts of a job.
 *
 * Each attempt runs with another range of ids. Where kernel and file system can map ids, the disk holds the ids that the job
 * itself sees, and each attempt's mount maps them to its range. Elsewhere the files are given to the new range before it starts.
 */
import { lchown } from "node:fs/promises";
import { closeFd, constants as c, openFd, openMountTree, SyscallError } from "../../ffi/mod.ts";
import { RANGE_IDS } from "./id_ranges.ts";
import type { JobIdentity } from "./user_namespaces.ts";

export interface WorkMount {
  readonly identity: JobIdentity;
  /** The program's user in the job. */
  readonly uid: number;
  /** Files in it can't be executed. */
  readonly noExec: boolean;
}

/** What a kernel or file system says that can't map ids. */
const NO_ID_MAPS = ["EINVAL", "EOPNOTSUPP", "EPERM", "ENOSYS"];

export class WorkFolders implements Disposable {
  readonly #root: string;
  readonly #rootFd: number;
  /** Jobs that have a folder. */
  readonly #ids: Set<string>;
  #mapsIds: boolean;

  /** @param root made if it is not there @param mapsIds whether to try to map ids. @default {true} */
  constructor(root: string, mapsIds = true) {
    this.#root = root;
    this.#mapsIds = mapsIds;
    // Nobody but root gets through: what jobs keep may have any owner and any mode.
    Deno.mkdirSync(root, { recursive: true, mode: 0o700 });
    this.#rootFd = openFd(root, c.O_RDONLY | c.O_DIRECTORY);
    this.#ids = new Set([...Deno.readDirSync(root)].map(({ name }) => name));
  }

  get ids(): ReadonlySet<string> {
    return this.#ids;
  }

  path(jobId: string): string {
    return `${this.#root}/${jobId}`;
  }

  /** A mount of the job's folder for an attempt, as an fd that the caller closes. @throws {SyscallError} */
  async open(jobId: string, { identity, uid, noExec }: WorkMount): Promise<number> {
    if (!this.#ids.has(jobId)) {
      Deno.mkdirSync(this.path(jobId), { mode: 0o755 });
      Deno.chownSync(this.path(jobId), uid, uid);
      this.#ids.add(jobId);
    }
    const attributes = c.MOUNT_ATTR_NOSUID | c.MOUNT_ATTR_NODEV | (noExec ? c.MOUNT_ATTR_NOEXEC : 0);
    if (this.#mapsIds) {
      await this.#giveTo(jobId, uid, 0);
      try {
        return openMountTree(this.#rootFd, jobId, { attributes, idMap: identity.usersFd });
      } catch (error) {
        if (
          !(error instanceof SyscallError && error.call === "mount_setattr" && NO_ID_MAPS.includes(error.errnoName))
        ) {
          throw error;
        }
        this.#mapsIds = false;
      }
    }
    await this.#giveTo(jobId, uid, identity.range.first);
    return openMountTree(this.#rootFd, jobId, { attributes });
  }

  /** Removes the folder with all that is in it, if there is one. No process of the job runs any more. */
  async remove(jobId: string): Promise<void> {
    if (!this.#ids.delete(jobId)) return;
    await Deno.remove(this.path(jobId), { recursive: true });
  }

  /** Moves the owners of all files from the range that the folder's own owner tells to the one that begins with `first`. */
  async #giveTo(jobId: string, uid: number, first: number): Promise<void> {
    const path = this.path(jobId);
    const former = ((await Deno.lstat(path)).uid ?? uid) - uid;
    if (former !== first) await shiftOwners(path, former, first);
  }

  [Symbol.dispose](): void {
    closeFd(this.#rootFd);
  }
}

/** What is of no user of the former range keeps its owner. The folder itself is last: its owner tells that all is done. */
async function shiftOwners(path: string, former: number, first: number): Promise<void> {
  const info = await Deno.lstat(path);
  if (info.isDirectory) {
    for await (const { name } of Deno.readDir(path)) await shiftOwners(`${path}/${name}`, former, first);
  }
  const shift = (id: number | null) => {
    const inside = (id ?? 0) - former;
    return inside >= 0 && inside < RANGE_IDS ? first + inside : id ?? 0;
  };
  await lchown(path, shift(info.uid), shift(info.gid));
}
