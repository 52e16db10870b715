import { type Poller, reapChild, whenReadable } from "../../ffi/mod.ts";

/**
 * Resolves when the process behind a pidfd has ended, and reaps it. @returns how it ended; undefined if it was no child of
 * this process
 */
export async function whenEnded(poller: Poller, pidfd: number): Promise<ReturnType<typeof reapChild>> {
  await whenReadable(poller, pidfd);
  return reapChild(pidfd);
}
