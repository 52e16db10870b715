/** Going on after a connection broke: a server that is restarted is back within seconds, and its jobs have run on. */
import { Code, ConnectError } from "@connectrpc/connect";
import { isTransportFailure, isUnreachable } from "./errors.ts";

/** Waits between tries to reconnect: 10 s in all, long enough for a restart of the server. */
export const RETRY_DELAYS_MS: readonly number[] = [100, 200, 400, 800, 1500, 2000, 2500, 2500];

export interface ReconnectOptions {
  readonly pause: (ms: number) => Promise<void>;
  /** The server has answered before: if it is away now, it may come back. @default {false} */
  readonly reached?: boolean;
  /** Milliseconds on a clock that only goes forward. @default {performance.now} */
  readonly now?: () => number;
}

/** A call that held this long had come through, even if it had nothing to say. */
const HELD_MS = 15_000;

/** Decides after each failure of a call whether it is worth another try. */
export class Reconnector {
  #failures = 0;
  #cutOff = 0;
  #reached: boolean;
  /** There was an answer, so this server trusts the certificate. */
  #trusted: boolean;
  #began: number;
  readonly #pause: (ms: number) => Promise<void>;
  readonly #now: () => number;

  constructor({ pause, reached = false, now = () => performance.now() }: ReconnectOptions) {
    this.#pause = pause;
    this.#now = now;
    this.#reached = reached;
    this.#trusted = reached;
    this.#began = now();
  }

  /** The server has answered: later failures are counted anew. */
  succeeded(): void {
    this.#failures = 0;
    this.#reached = true;
    this.#trusted = true;
  }

  /** Waits until the next try is due. @throws the failure itself if no other try is worth it */
  async failed(error: unknown): Promise<void> {
    if (this.#now() - this.#began > HELD_MS) this.succeeded();
    // A server that was never there is not waited for.
    if (!this.#reached && isUnreachable(error)) throw error;
    const delay = RETRY_DELAYS_MS[this.#failures++];
    if (delay === undefined || !isBroken(error) || this.#isRefused(error)) throw error;
    this.#reached = true;
    await this.#pause(delay);
    this.#began = this.#now();
  }

  /**
   * A server that does not trust a certificate hangs up without a word, as one that dies does. After a death the next try
   * finds nobody or is answered, so being cut off twice in a row is a refusal.
   */
  #isRefused(error: unknown): boolean {
    const cutOff = error instanceof ConnectError && /(peer|connection) closed|reset by peer/i.test(error.rawMessage);
    this.#cutOff = cutOff ? this.#cutOff + 1 : 0;
    return !this.#trusted && this.#cutOff > 1;
  }
}

/** Makes a call until it is answered or no other try is worth it. */
export async function callThrough<T>(options: ReconnectOptions, call: () => Promise<T>): Promise<T> {
  const reconnector = new Reconnector(options);
  for (;;) {
    try {
      return await call();
    } catch (error) {
      await reconnector.failed(error);
    }
  }
}

/** Whether the connection broke, rather than the server refused. */
function isBroken(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return error instanceof TypeError;
  if (/certificate|UnknownIssuer|fatal alert/i.test(error.rawMessage)) return false;
  if (error.code === Code.Internal) return isTransportFailure(error.rawMessage);
  return error.code === Code.Unavailable || error.code === Code.Unknown || error.code === Code.Aborted;
}
