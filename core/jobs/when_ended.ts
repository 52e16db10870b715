import { constants, type Poller, reapChild } from "../../ffi/mod.ts";

/**
 * Resolves when the process behind a pidfd has ended, and reaps it. @returns how it ended; undefined if it was no child of
 * this process
 */
export async function whenEnded(poller: Poller, pidfd: number): Promise<ReturnType<typeof reapChild>> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const watch = poller.watch(pidfd, constants.EPOLLIN, () => {
    watch[Symbol.dispose]();
    resolve();
  });
  await promise;
  return reapChild(pidfd);
}
