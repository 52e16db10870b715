/**
 * Network namespaces with loopback, made ahead of time: making one takes longer than all other steps of a start together. Each
 * is used by one job only. One process makes several, one after the other, so that most jobs start while none is being made.
 */
import { closeFd, type Poller } from "../../ffi/mod.ts";
import { networkSteps, OPEN_NETWORK } from "./network_steps.ts";
import { runSideProcess } from "./side_process.ts";

/** Ready namespaces; more would only help bursts that are longer than the CPUs can follow. */
const SIZE = 8;
/** So many are made at once, when there is room for them. */
const BATCH = 4;

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
    this.refill();
  }

  /** fd of a fresh namespace, which the caller closes; undefined if none is ready. Makes no new one: see `refill`. */
  take(): number | undefined {
    return this.#ready.pop();
  }

  /** Makes what is missing, one batch at a time: a server that is busy starting jobs has no time to prepare. */
  refill(): void {
    if (this.#closed || this.#making || this.#ready.length > SIZE - BATCH) return;
    const side = { steps: networkSteps(BATCH), opens: OPEN_NETWORK };
    this.#making = runSideProcess(this.#poller, this.#cgroupFd, side).then((fds) => {
      this.#making = undefined;
      if (this.#closed) fds.forEach(closeFd);
      else this.#ready.push(...fds);
      this.refill();
    }).catch((error: unknown) => {
      // Not tried again before the next job, which makes its own namespace and names the failure.
      this.#making = undefined;
      this.#onError(error);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#making;
    this.#ready.splice(0).forEach(closeFd);
  }
}
