/**
 * Waits for many fds at once: one epoll_wait runs in one helper thread, and its events are handed out on the thread
 * that made the poller. Nothing polls or sleeps.
 */
import { ARCH } from "./arch.ts";
import * as c from "./constants.ts";
import { closeFd, readFd, writeFd } from "./fd.ts";
import { check, libc } from "./libc.ts";

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const BATCH = 128;
/** struct epoll_event is packed on x86-64 alone. */
const EVENT_BYTES = ARCH === "x86_64" ? 12 : 16;
const DATA_OFFSET = ARCH === "x86_64" ? 4 : 8;

/** Called with the EPOLL* bits that are set. */
export type FdListener = (events: number) => void;

/** Stops watching when disposed of; the fd stays open. */
export interface FdWatch extends Disposable {
  readonly fd: number;
}

export class Poller implements AsyncDisposable {
  readonly #epoll = check("epoll_create1", () => libc().epoll_create1(c.O_CLOEXEC));
  readonly #wake = check("eventfd", () => libc().eventfd(0, c.O_CLOEXEC | c.O_NONBLOCK));
  readonly #listeners = new Map<bigint, FdListener>();
  readonly #onError: (error: unknown) => void;
  #nextKey = 1n;
  #closed = false;
  readonly #done: Promise<void>;

  /** @param onError gets what a listener throws; the poller goes on */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
    this.#control(EPOLL_CTL_ADD, this.#wake, c.EPOLLIN, 0n);
    this.#done = this.#run();
  }

  /** Calls the listener whenever the fd is ready (level triggered). @param events EPOLL* bits @throws {SyscallError} */
  watch(fd: number, events: number, listener: FdListener): FdWatch {
    // A key of its own, not the fd: a number may be closed and reused while an event for it waits in the batch.
    const key = this.#nextKey++;
    this.#control(EPOLL_CTL_ADD, fd, events, key);
    this.#listeners.set(key, listener);
    return {
      fd,
      [Symbol.dispose]: () => {
        if (this.#listeners.delete(key)) this.#control(EPOLL_CTL_DEL, fd, 0, 0n);
      },
    };
  }

  #control(operation: number, fd: number, events: number, key: bigint): void {
    const event = new Uint8Array(EVENT_BYTES);
    const view = new DataView(event.buffer);
    view.setUint32(0, events, true);
    view.setBigUint64(DATA_OFFSET, key, true);
    check("epoll_ctl", () => libc().epoll_ctl(this.#epoll, operation, fd, event), `fd ${fd}`);
  }

  async #run(): Promise<void> {
    const events = new Uint8Array(EVENT_BYTES * BATCH);
    const view = new DataView(events.buffer);
    while (!this.#closed) {
      // -1 is EINTR: the fd and the buffer are this object's own, so no other error can come.
      const count = await libc().epoll_wait(this.#epoll, events, BATCH, -1);
      for (let i = 0; i < count && !this.#closed; i++) {
        const at = i * EVENT_BYTES;
        this.#dispatch(view.getBigUint64(at + DATA_OFFSET, true), view.getUint32(at, true));
      }
    }
  }

  #dispatch(key: bigint, events: number): void {
    if (key === 0n) {
      readFd(this.#wake, new Uint8Array(8));
      return;
    }
    try {
      this.#listeners.get(key)?.(events);
    } catch (error) {
      this.#onError(error);
    }
  }

  /** Stops waiting and frees the poller; watched fds stay open. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return await this.#done;
    this.#closed = true;
    this.#listeners.clear();
    writeFd(this.#wake, new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]));
    await this.#done;
    closeFd(this.#epoll);
    closeFd(this.#wake);
  }
}

/** Resolves when the fd can be read; of a pidfd: when its process has ended. */
export async function whenReadable(poller: Poller, fd: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const watch = poller.watch(fd, c.EPOLLIN, () => {
    watch[Symbol.dispose]();
    resolve();
  });
  await promise;
}
