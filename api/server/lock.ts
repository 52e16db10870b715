/** One server a home folder. */
import { EngineError } from "../../core/errors.ts";
import type { Home } from "../../core/values/home.ts";

/**
 * Takes the lock of a home folder until it is disposed or the process is gone: the kernel lets go of it, so a killed server
 * leaves no stale lock. @throws {EngineError} kind "precondition" that names the pid of the holder
 */
export async function lockHome(home: Home): Promise<Disposable> {
  await Deno.mkdir(home.run, { recursive: true, mode: 0o700 });
  const path = `${home.run}/server.lock`;
  // Not truncated before it is ours: the holder's pid stands in it.
  const file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
  try {
    if (!await file.tryLock(true)) {
      const pid = (await Deno.readTextFile(path)).trim() || "unknown";
      throw new EngineError(
        "precondition",
        `Cannot start: the server with pid ${pid} serves ${home.root} already; stop it or set JOBLET_HOME to another folder`,
      );
    }
    await file.truncate(0);
    await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}
