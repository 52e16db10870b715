/** Making and removing cgroup folders. */

/** @returns whether it was made; false if it was there already */
export function makeFolder(path: string): boolean {
  try {
    Deno.mkdirSync(path, { mode: 0o755 });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}

/** @returns whether it is gone; false while something is in it */
export function tryRemove(path: string): boolean {
  try {
    Deno.removeSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    if (error instanceof Deno.errors.Busy || (error instanceof Error && "code" in error && isInUse(error.code))) {
      return false;
    }
    throw error;
  }
}

function isInUse(code: unknown): boolean {
  return code === "EBUSY" || code === "ENOTEMPTY";
}
