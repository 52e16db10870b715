import * as c from "./constants.ts";
import { closeFd, readFd } from "./fd.ts";
import { check, libc } from "./libc.ts";
import { cString } from "./memory.ts";
import type { FdWatch, Poller } from "./poller.ts";

const EVENT_HEADER_BYTES = 16; // sizeof(struct inotify_event) without the name
const NAME_LENGTH = 12; // offsetof(struct inotify_event, len)

interface Watched {
  readonly path: string;
  readonly listeners: Set<() => void>;
}

/** Tells when files are written to. One inotify instance serves any number of files and listeners. */
export class ModificationWatcher implements Disposable {
  readonly #inotify = check("inotify_init1", () => libc().inotify_init1(c.O_CLOEXEC | c.O_NONBLOCK));
  readonly #byDescriptor = new Map<number, Watched>();
  readonly #byPath = new Map<string, number>();
  readonly #ready: FdWatch;
  readonly #buffer = new Uint8Array(64 * 1024);

  constructor(poller: Poller) {
    this.#ready = poller.watch(this.#inotify, c.EPOLLIN, () => this.#drain());
  }

  /** Calls the listener after each write to the file, or batch of writes, until disposed of. @throws {SyscallError} */
  watch(path: string, listener: () => void): Disposable {
    const descriptor = this.#byPath.get(path) ?? this.#add(path);
    const watched = this.#byDescriptor.get(descriptor)!;
    // A function of its own, so that one listener may be registered twice.
    const entry = () => listener();
    watched.listeners.add(entry);
    return { [Symbol.dispose]: () => this.#remove(descriptor, watched, entry) };
  }

  #add(path: string): number {
    const name = cString(path);
    const descriptor = check(
      "inotify_add_watch",
      () => libc().inotify_add_watch(this.#inotify, name, c.IN_MODIFY),
      path,
    );
    this.#byPath.set(path, descriptor);
    this.#byDescriptor.set(descriptor, { path, listeners: new Set() });
    return descriptor;
  }

  #remove(descriptor: number, watched: Watched, entry: () => void): void {
    watched.listeners.delete(entry);
    if (watched.listeners.size > 0 || this.#byDescriptor.get(descriptor) !== watched) return;
    this.#forget(descriptor, watched);
    // Fails with EINVAL if the file was deleted meanwhile: then the kernel has removed the watch itself.
    libc().inotify_rm_watch(this.#inotify, descriptor);
  }

  #forget(descriptor: number, watched: Watched): void {
    this.#byDescriptor.delete(descriptor);
    if (this.#byPath.get(watched.path) === descriptor) this.#byPath.delete(watched.path);
  }

  #drain(): void {
    const length = readFd(this.#inotify, this.#buffer);
    const view = new DataView(this.#buffer.buffer);
    for (let at = 0; at < length;) {
      const descriptor = view.getInt32(at, true);
      const mask = view.getUint32(at + 4, true);
      at += EVENT_HEADER_BYTES + view.getUint32(at + NAME_LENGTH, true);
      const watched = this.#byDescriptor.get(descriptor);
      if (!watched) continue;
      if (mask & c.IN_IGNORED) this.#forget(descriptor, watched);
      for (const listener of [...watched.listeners]) listener();
    }
  }

  [Symbol.dispose](): void {
    this.#ready[Symbol.dispose]();
    closeFd(this.#inotify);
  }
}
