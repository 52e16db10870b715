import { closeFd, constants, type FdWatch, openFd, type Poller, readFd, SyscallError } from "../../ffi/mod.ts";
import { applyLimits } from "./apply.ts";
import { tryRemove } from "./folder.ts";
import type { Controller, LimitWrite } from "./limits.ts";
import type { Usage } from "../jobs/job.ts";
import { numberAfter, readEndUsage, type ReadFile, readLiveUsage } from "./usage.ts";
import type { SharedCgroup } from "./shared_cgroup.ts";

/** The cgroup of one job. */
export class JobCgroup {
  /**
   * @param controllers those that are switched on in it
   * @param user the cgroup that it lies in; absent for one that an earlier version made
   */
  constructor(
    readonly path: string,
    readonly poller: Poller,
    readonly controllers: ReadonlySet<Controller>,
    readonly user?: SharedCgroup,
  ) {}

  exists(): boolean {
    return readOptional(`${this.path}/cgroup.events`) !== undefined;
  }

  /** Makes the folder and writes the limits; leaves nothing behind if one fails. @throws {CgroupWriteError} */
  create(limits: readonly LimitWrite[]): void {
    if (this.user) this.user.makeJob(this.path);
    else Deno.mkdirSync(this.path, { mode: 0o755 });
    try {
      applyLimits(this.path, limits, "the job's cgroup");
    } catch (error) {
      Deno.removeSync(this.path);
      throw error;
    }
  }

  /** fd of the folder, for clone3. The caller closes it. @throws {SyscallError} */
  open(): number {
    return openFd(this.path, constants.O_RDONLY | constants.O_DIRECTORY);
  }

  /** Kills every process in it at once, also stopped ones and those that fork meanwhile. A missing folder is fine. */
  kill(): void {
    ignoreMissing(() => Deno.writeTextFileSync(`${this.path}/cgroup.kill`, "1", { create: false }));
  }

  readonly #read: ReadFile = (file) => readOptional(`${this.path}/${file}`);

  /** How often the kernel's out-of-memory killer struck here, and whether the limit of this very cgroup was reached. */
  memoryEvents(): { readonly kills: number; readonly ownLimit: boolean } {
    const events = this.controllers.has("memory") ? this.#read("memory.events") : undefined;
    return { kills: numberAfter(events, "oom_kill") ?? 0, ownLimit: (numberAfter(events, "oom") ?? 0) > 0 };
  }

  /** Whether the kernel has refused it a process because of a limit. */
  pidsRefused(): boolean {
    return this.controllers.has("pids") && (numberAfter(this.#read("pids.events"), "max") ?? 0) > 0;
  }

  /** What its processes use now. */
  liveUsage(): Usage {
    return readLiveUsage(this.#read);
  }

  /** What its processes used, to be read after their end. */
  endUsage(): Usage {
    return readEndUsage(this.#read, this.controllers);
  }

  /** Kills what is left in it, and removes the folder once its last process is gone. */
  async remove(): Promise<void> {
    while (!tryRemove(this.path)) {
      this.kill();
      await this.#whenEmpty();
    }
    this.user?.onJobGone();
  }

  /** Waits for a change of cgroup.events, which the kernel announces as POLLPRI; returns at once if it is empty. */
  async #whenEmpty(): Promise<void> {
    let fd: number;
    try {
      fd = openFd(`${this.path}/cgroup.events`, constants.O_RDONLY);
    } catch (error) {
      if (error instanceof SyscallError && error.errnoName === "ENOENT") return;
      throw error;
    }
    let watch: FdWatch | undefined;
    try {
      // Only changes after this very fd was read are announced on it, so none is lost between the look and the wait.
      const buffer = new Uint8Array(256);
      const text = new TextDecoder().decode(buffer.subarray(0, readFd(fd, buffer)));
      if (numberAfter(text, "populated") !== 1) return;
      const changed = Promise.withResolvers<void>();
      watch = this.poller.watch(fd, constants.EPOLLPRI, () => changed.resolve());
      await changed.promise;
    } finally {
      watch?.[Symbol.dispose]();
      closeFd(fd);
    }
  }
}

function ignoreMissing(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function readOptional(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    // ENODEV: the folder was removed between open and read.
    if (
      error instanceof Deno.errors.NotFound || (error instanceof Error && "code" in error && error.code === "ENODEV")
    ) {
      return undefined;
    }
    throw error;
  }
}
