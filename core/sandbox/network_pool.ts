/**
 * Network namespaces made ahead of time: making one takes longer than all other steps of a start together. Each is used by
 * one job only. A child makes it and opens it; as the child shares this process's fd table, the fd appears here:
 *
 *   server  clone3(CLONE_FILES) ──► child  unshare(CLONE_NEWNET), open /proc/self/ns/net = fd, exit
 *   server  fd is in the pool   ◄── pidfd
 *   job     setns(fd)
 */
import {
  closeFd,
  constants as c,
  launch,
  LAUNCH_EXTRA_BYTES,
  LaunchTable,
  type Poller,
  reapChild,
  whenReadable,
} from "../../ffi/mod.ts";

/** Ready namespaces; more would only help bursts that are longer than the CPUs can follow. */
const SIZE = 4;
const OPEN = 1;

export class NetworkPool implements AsyncDisposable {
  readonly #poller: Poller;
  readonly #cgroupFd: number;
  readonly #onError: (error: unknown) => void;
  readonly #ready: number[] = [];
  #making: Promise<void> | undefined;
  #closed = false;

  /** @param cgroupFd cgroup folder that the children are born in; stays the caller's */
  constructor(poller: Poller, cgroupFd: number, onError: (error: unknown) => void) {
    this.#poller = poller;
    this.#cgroupFd = cgroupFd;
    this.#onError = onError;
    this.#refill();
  }

  /** fd of a fresh namespace, which the caller closes; undefined if none is ready. */
  take(): number | undefined {
    const fd = this.#ready.pop();
    this.#refill();
    return fd;
  }

  /** One at a time: a server that is busy starting jobs has no time to prepare. */
  #refill(): void {
    if (this.#closed || this.#making || this.#ready.length >= SIZE) return;
    this.#making = this.#make().then((fd) => {
      this.#making = undefined;
      if (fd === undefined) return;
      if (this.#closed) closeFd(fd);
      else this.#ready.push(fd);
      this.#refill();
    }).catch((error: unknown) => {
      // Not tried again before the next job, which makes its own namespace and names the failure.
      this.#making = undefined;
      this.#onError(error);
    });
  }

  async #make(): Promise<number | undefined> {
    const table = new LaunchTable([
      { call: "unshare", args: [c.CLONE_NEWNET] },
      { call: "openat", args: [c.AT_FDCWD, "/proc/self/ns/net", c.O_RDONLY | c.O_CLOEXEC, 0] },
    ], LAUNCH_EXTRA_BYTES);
    const { pidfd } = launch(table, { namespaces: c.CLONE_FILES, cgroupFd: this.#cgroupFd });
    await whenReadable(this.#poller, pidfd);
    reapChild(pidfd);
    closeFd(pidfd);
    const fd = table.result(OPEN);
    return fd !== undefined && fd >= 0 ? fd : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#making;
    this.#ready.splice(0).forEach(closeFd);
  }
}
