import { applyLimits, CgroupWriteError, liftOtherLimits } from "./apply.ts";
import { makeFolder, tryRemove } from "./folder.ts";
import type { Controller, LimitWrite } from "./limits.ts";

const WHERE = "the cgroup of the job's user";

/** How long a folder without jobs is kept: the next job of its owner then finds it made. */
const KEPT_MS = 10_000;

/** The cgroup of all jobs of one owner. Its limits hold for them together. */
export class UserCgroup {
  #ready = false;
  #removal: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param controllers those that jobs have
   * @param limits the writes for its own limits
   */
  constructor(
    readonly path: string,
    readonly controllers: ReadonlySet<Controller>,
    readonly limits: () => readonly LimitWrite[],
  ) {}

  /**
   * Makes the folder, if need be, and lets it have its limits, whatever an earlier server gave it.
   * @throws {CgroupWriteError} and what `limits` throws; then it is tried anew at the next job
   */
  prepare(): void {
    if (this.#ready) return;
    const made = makeFolder(this.path);
    try {
      const limits = this.limits();
      if (!made) liftOtherLimits(this.path, limits, WHERE);
      applyLimits(this.path, limits, WHERE);
      this.#passOn();
    } catch (error) {
      if (made) Deno.removeSync(this.path);
      throw error;
    }
    this.#ready = true;
  }

  #passOn(): void {
    if (this.controllers.size === 0) return;
    const value = [...this.controllers].map((controller) => `+${controller}`).join(" ");
    try {
      Deno.writeTextFileSync(`${this.path}/cgroup.subtree_control`, value, { create: false });
    } catch (cause) {
      throw new CgroupWriteError({ file: "cgroup.subtree_control", value }, WHERE, undefined, { cause });
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
      this.#ready = false;
      this.prepare();
      Deno.mkdirSync(path, { mode: 0o755 });
    }
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
