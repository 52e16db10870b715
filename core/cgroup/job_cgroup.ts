import { closeFd, constants, type FdWatch, openFd, type Poller, readFd, SyscallError } from "../../ffi/mod.ts";
import type { LimitWrite } from "./limits.ts";

/** A write into a cgroup folder that the kernel refused. */
export class CgroupWriteError extends Error {
  override readonly name = "CgroupWriteError";

  constructor(readonly file: string, readonly value: string, options: ErrorOptions) {
    super(`write '${value}' to ${file}`, options);
  }
}

/** The cgroup of one job. */
export class JobCgroup {
  /** @param hasMemory the memory controller is switched on in it */
  constructor(readonly path: string, readonly poller: Poller, readonly hasMemory: boolean) {}

  /** Makes the folder and writes the limits; leaves nothing behind if one fails. @throws {CgroupWriteError} */
  create(limits: readonly LimitWrite[]): void {
    Deno.mkdirSync(this.path, { mode: 0o755 });
    for (const { file, value, optional } of limits) {
      try {
        Deno.writeTextFileSync(`${this.path}/${file}`, value, { create: false });
      } catch (cause) {
        if (optional && cause instanceof Deno.errors.NotFound) continue;
        Deno.removeSync(this.path);
        throw new CgroupWriteError(file, value, { cause });
      }
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

  /** How often the kernel's out-of-memory killer struck here; 0 without the memory controller. */
  oomKills(): number {
    if (!this.hasMemory) return 0;
    return numberAfter(readOptional(`${this.path}/memory.events`), "oom_kill") ?? 0;
  }

  /** Most memory ever used, in bytes; undefined without the memory controller. */
  memoryPeak(): number | undefined {
    if (!this.hasMemory) return undefined;
    const text = readOptional(`${this.path}/memory.peak`);
    return text === undefined ? undefined : Number(text);
  }

  /** Kills what is left in it, and removes the folder once its last process is gone. */
  async remove(): Promise<void> {
    while (!tryRemove(this.path)) {
      this.kill();
      await this.#whenEmpty();
    }
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

function tryRemove(path: string): boolean {
  try {
    Deno.removeSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    if (error instanceof Deno.errors.Busy || isBusy(error)) return false;
    throw error;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EBUSY";
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

function numberAfter(text: string | undefined, key: string): number | undefined {
  const line = text?.split("\n").find((candidate) => candidate.startsWith(`${key} `));
  return line === undefined ? undefined : Number(line.slice(key.length + 1));
}
