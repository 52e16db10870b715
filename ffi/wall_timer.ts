import * as c from "./constants.ts";
import { closeFd, readFd } from "./fd.ts";
import { check, libc } from "./libc.ts";
import { SyscallError } from "./errno.ts";
import type { FdWatch, Poller } from "./poller.ts";

// <sys/timerfd.h>
const TFD_TIMER_ABSTIME = 1;
const TFD_TIMER_CANCEL_ON_SET = 2;
const CLOCK_REALTIME = 0;
/** A timer that is armed for never still tells when the clock is set: 2^40 s, some 35,000 years. */
const NEVER_S = 2n ** 40n;

/** An alarm by wall time. A timer of the runtime counts monotonic time, and sleeps on when the clock is set. */
export class WallTimer implements Disposable {
  readonly #fd = check("timerfd_create", () => libc().timerfd_create(CLOCK_REALTIME, c.O_CLOEXEC | c.O_NONBLOCK));
  readonly #buffer = new Uint8Array(8);
  readonly #watch: FdWatch;

  /** @param onTime called when the moment set has come, and when the host's clock was set */
  constructor(poller: Poller, onTime: () => void) {
    this.#watch = poller.watch(this.#fd, c.EPOLLIN, () => {
      try {
        readFd(this.#fd, this.#buffer);
      } catch (error) {
        // ECANCELED: the clock was set. EAGAIN: the timer was armed anew since the event.
        if (!(error instanceof SyscallError && ["ECANCELED", "EAGAIN"].includes(error.errnoName))) throw error;
        if (error.errnoName === "EAGAIN") return;
      }
      onTime();
    });
  }

  /** Arms the timer; the moment before is forgotten. @param atMs since the epoch; a past one has come; Infinity: never */
  set(atMs: number): void {
    const view = new DataView(new ArrayBuffer(32)); // struct itimerspec {interval {sec, nsec}, value {sec, nsec}}
    if (atMs === Infinity) {
      view.setBigInt64(16, NEVER_S, true);
    } else {
      // A value of zero would disarm it.
      const ms = Math.max(1, Math.ceil(atMs));
      view.setBigInt64(16, BigInt(Math.floor(ms / 1000)), true);
      view.setBigInt64(24, BigInt((ms % 1000) * 1_000_000), true);
    }
    const flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
    check("timerfd_settime", () => libc().timerfd_settime(this.#fd, flags, new Uint8Array(view.buffer), 0n));
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    closeFd(this.#fd);
  }
}
