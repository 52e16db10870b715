/** How much disk the running jobs of each owner hold together, and may hold. */
import { EngineError } from "../errors.ts";
import { formatBytes } from "../values/bytes.ts";

export interface DiskQuotas {
  /** Counted for a job that names no disk limit: what its sandbox has then. */
  readonly standardBytes: number;
  /** Of the running jobs of one owner together; absent: no bound. */
  readonly all?: number;
  /** The same by owner, which wins. */
  readonly of: ReadonlyMap<string, number>;
}

const NONE: DiskQuotas = { standardBytes: 0, of: new Map() };

export class DiskUse {
  readonly #quotas: DiskQuotas;
  readonly #usedBy = new Map<string, number>();

  constructor(quotas: DiskQuotas = NONE) {
    this.#quotas = quotas;
  }

  /** What a job counts. @param diskBytes its limit */
  need(diskBytes: number | undefined): number {
    return diskBytes ?? this.#quotas.standardBytes;
  }

  /** Counts a job that starts; with a negative number one that has ended. */
  add(owner: string, bytes: number): void {
    const used = (this.#usedBy.get(owner) ?? 0) + bytes;
    if (used > 0) this.#usedBy.set(owner, used);
    else this.#usedBy.delete(owner);
  }

  /** Refuses a job that can never fit. @throws {EngineError} kind "precondition" that names the quota */
  checkFits(owner: string, diskBytes: number | undefined): void {
    const quota = this.#quotaOf(owner);
    const bytes = this.need(diskBytes);
    if (quota === undefined || bytes <= quota) return;
    const key = this.#quotas.of.has(owner) ? `limits.users.${owner}.total.maxDisk` : "limits.user.maxDisk";
    const given = `all jobs of '${owner}' together get ${formatBytes(quota)} (${key})`;
    const wanted = diskBytes === undefined
      ? `${formatBytes(bytes)} of disk, as jobs have`
      : `${formatBytes(bytes)} of disk`;
    throw new EngineError("precondition", `Cannot run a job with ${wanted}: ${given}; ask for less with --max-disk`);
  }

  /** Why a job of this owner has to wait, in words; undefined if it fits. */
  obstacle(owner: string, bytes: number): string | undefined {
    const quota = this.#quotaOf(owner);
    if (quota === undefined) return undefined;
    const free = quota - (this.#usedBy.get(owner) ?? 0);
    if (bytes <= free) return undefined;
    const left = `${formatBytes(Math.max(0, free))} of ${formatBytes(quota)} are free`;
    return `disk of its user: it wants ${formatBytes(bytes)}, ${left} for the jobs of '${owner}'`;
  }

  #quotaOf(owner: string): number | undefined {
    return this.#quotas.of.get(owner) ?? this.#quotas.all;
  }
}
