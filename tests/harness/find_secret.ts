/** Looks for values that must be nowhere: in files, in texts and in what the host shows of its processes. */

/** A value in each form in which it might have been written down. */
export class Needles {
  readonly #forms: readonly Uint8Array[];

  constructor(...values: readonly Uint8Array[]) {
    const encoder = new TextEncoder();
    this.#forms = values.flatMap((value) => [
      value,
      encoder.encode(value.toHex()),
      // Inside of longer bytes that are encoded, it begins at any of three places.
      ...[0, 1, 2].flatMap((shift) => {
        const inner = innerBase64(value, shift);
        return [inner, inner.replaceAll("+", "-").replaceAll("/", "_")].map((text) => encoder.encode(text));
      }),
    ]);
  }

  isIn(bytes: Uint8Array | string): boolean {
    // One character a byte, so that the runtime's search can be used.
    const hay = latin1(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
    return this.#forms.some((form) => hay.includes(latin1(form)));
  }

  /** Paths of the files below a folder that have it, in their contents or their names. */
  async filesBelow(folder: string): Promise<string[]> {
    const found: string[] = [];
    for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
      const path = `${folder}/${name}`;
      if (this.isIn(name)) found.push(path);
      if (isDirectory) found.push(...await this.filesBelow(path));
      if (isFile && this.isIn(await Deno.readFile(path))) found.push(path);
    }
    return found;
  }

  /** Processes that show it to the host: each as "PID file". @param file "cmdline" or "environ" */
  async processes(file: "cmdline" | "environ"): Promise<string[]> {
    const found: string[] = [];
    for await (const { name } of Deno.readDir("/proc")) {
      if (/^\d+$/.test(name) && this.isIn(await readIfThere(`/proc/${name}/${file}`))) found.push(`${name} ${file}`);
    }
    return found;
  }
}

/** The part of the value's base64 that does not depend on what stands beside it, with so many bytes before it. */
function innerBase64(value: Uint8Array, shift: number): string {
  const padded = new Uint8Array(shift + value.length);
  padded.set(value, shift);
  const firstWhole = shift === 0 ? 0 : 4;
  return padded.toBase64().slice(firstWhole, Math.floor(padded.length / 3) * 4);
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

/** Empty for a process that has ended meanwhile, or whose file is closed even to root. */
async function readIfThere(path: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return new Uint8Array();
    // ESRCH, also of the kernel's own threads; the runtime gives it no code.
    if (error instanceof Error && error.message.includes("(os error 3)")) return new Uint8Array();
    throw error;
  }
}
