import { applyLimits, CgroupWriteError, liftOtherLimits } from "./apply.ts";
import { makeFolder, tryRemove } from "./folder.ts";
import type { Controller, LimitWrite } from "./limits.ts";

/** How long a folder without jobs is kept: the next job of its owner then finds it made. */
const KEPT_MS = 10_000;

export interface SharedCgroupParts {
  /** Controllers that jobs have. */
  readonly controllers: ReadonlySet<Controller>;
  /** The writes for its own limits. */
  readonly limits: () => readonly LimitWrite[];
  /** Whose it is, for messages. */
  readonly where: string;
  /** The one that it lies in, if that is shared too. */
  readonly parent?: SharedCgroup;
}

/** A cgroup of several jobs: all of one owner, or all. Its limits hold for them together. */
export class SharedCgroup {
  #ready = false;
  #removal: ReturnType<typeof setTimeout> | undefined;

  readonly #parts: SharedCgroupParts;

  constructor(readonly path: string, parts: SharedCgroupParts) {
    this.#parts = parts;
  }

  /**
   * Makes the folder, if need be, and lets it have its limits, whatever an earlier server gave it.
   * @throws {CgroupWriteError} and what `limits` throws; then it is tried anew at the next job
   */
  prepare(): void {
    if (this.#ready) return;
    const { limits: wanted, where, parent } = this.#parts;
    parent?.prepare();
    const made = makeFolder(this.path);
    try {
      const limits = wanted();
      if (!made) liftOtherLimits(this.path, limits, where);
      applyLimits(this.path, limits, where);
      this.#passOn();
    } catch (error) {
      if (made) Deno.removeSync(this.path);
      throw error;
    }
    this.#ready = true;
  }

  #passOn(): void {
    const { controllers, where } = this.#parts;
    if (controllers.size === 0) return;
    const value = [...controllers].map((controller) => `+${controller}`).join(" ");
    try {
      Deno.writeTextFileSync(`${this.path}/cgroup.subtree_control`, value, { create: false });
    } catch (cause) {
      throw new CgroupWriteError({ file: "cgroup.subtree_control", value }, where, undefined, { cause });
    }
  }

  /** Makes the folder of a job in it. @throws {CgroupWriteError} */
  makeJob(path: string): void {
    this.prepare();
    try {
      Deno.mkdirSync(path, { mode: 0o755 });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      // Somebody has removed it from outside.
      this.#forget();
      this.prepare();
      Deno.mkdirSync(path, { mode: 0o755 });
    }
  }

  #forget(): void {
    this.#ready = false;
    const { parent } = this.#parts;
    if (parent) parent.#forget();
  }

  /** To be called when a job's folder is gone: a moment later this one goes too, unless it has other jobs then. */
  onJobGone(): void {
    this.#removal ??= setTimeout(() => {
      this.#removal = undefined;
      this.tryRemove();
    }, KEPT_MS);
  }

  /** Removes the folder if no job is in it. @returns whether it is gone */
  tryRemove(): boolean {
    if (!tryRemove(this.path)) return false;
    this.#ready = false;
    return true;
  }

  /** Forgets about the removal that may be due. */
  close(): void {
    clearTimeout(this.#removal);
    this.#removal = undefined;
  }
}
