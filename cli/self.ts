/** The last part of the name that this program was called by: a link to it may choose another command line. */
export async function programName(): Promise<string> {
  const called = globalThis.JOBLET_BUILD === "self-extracting"
    ? Deno.env.get("JOBLET_EXE") ?? ""
    : globalThis.JOBLET_BUILD === "compiled"
    ? (await Deno.readTextFile("/proc/self/cmdline")).split("\0")[0]!
    : "";
  return called.slice(called.lastIndexOf("/") + 1);
}

/** The command that starts this very program again. */
export function selfCommand(): readonly [string, ...string[]] {
  // The self-extracting file names itself; of a compiled one Deno.execPath() is the program.
  const file = Deno.env.get("JOBLET_EXE");
  if (globalThis.JOBLET_BUILD === "self-extracting" && file) return [file];
  if (globalThis.JOBLET_BUILD === "compiled") return [Deno.execPath()];
  return [Deno.execPath(), "run", "-A", "--quiet", Deno.mainModule];
}
