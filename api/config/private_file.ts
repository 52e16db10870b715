/** Files that hold private keys: 0600, whole or not at all. */
import { EngineError } from "../../core/errors.ts";
import { readBytes } from "../../core/file_bytes.ts";

const MAKE_IT = "run 'joblet certs init' to make it";

/**
 * Reads a file with private keys in it. @param cure for a file that is missing
 * @throws {EngineError} if it is missing, or open to others, with the cure
 */
export function readPrivateFile(path: string, cure = MAKE_IT): string {
  using file = openAt(path, cure);
  // Asked of the open file, so that it can't be exchanged in between.
  const { mode, size } = file.statSync();
  const bits = (mode ?? 0) & 0o777;
  if (bits & 0o077) {
    throw new EngineError(
      "precondition",
      `Cannot use ${path}: its mode ${bits.toString(8)} lets others at its private key; run 'chmod 600 ${path}'`,
    );
  }
  return readAll(file, size);
}

/** Reads a file that others may read. @param cure for one that is missing @throws {EngineError} */
export function readFileAt(path: string, cure: string): string {
  using file = openAt(path, cure);
  return readAll(file, file.statSync().size);
}

function readAll(file: Deno.FsFile, size: number): string {
  return new TextDecoder().decode(readBytes(file, size));
}

function openAt(path: string, cure: string): Deno.FsFile {
  try {
    return Deno.openSync(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) {
      throw new EngineError("not_found", `Cannot find ${path}: ${cure}`, { cause });
    }
    if (cause instanceof Deno.errors.PermissionDenied) {
      throw new EngineError("precondition", `Cannot read ${path}: permission denied; run this as its owner`, { cause });
    }
    throw cause;
  }
}

/** Makes a folder, and its parents, that only its owner may enter. */
export async function makePrivateFolder(path: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  // It may have been there before, open to others.
  await Deno.chmod(path, 0o700);
}

/**
 * Writes a file: readers see the old text or the new one, never a part.
 * @param mode 0600 keeps others out @throws {EngineError} kind "not_found" if its folder does not exist
 */
export async function writePrivateFile(path: string, text: string, mode = 0o600): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    const file = await Deno.open(temporary, { write: true, createNew: true, mode });
    try {
      const bytes = new TextEncoder().encode(text);
      for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
      await file.sync();
    } finally {
      file.close();
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch((left: unknown) => {
      if (!(left instanceof Deno.errors.NotFound)) throw new AggregateError([error, left], `Cannot write ${path}`);
    });
    if (error instanceof Deno.errors.NotFound) {
      throw new EngineError("not_found", `Cannot write ${path}: its folder does not exist`, { cause: error });
    }
    throw error;
  }
}
