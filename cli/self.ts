/** The command that starts this very program again. */
export function selfCommand(): readonly [string, ...string[]] {
  // The self-extracting file names itself; of a compiled one Deno.execPath() is the program.
  const file = Deno.env.get("JOBLET_EXE");
  if (globalThis.JOBLET_BUILD === "self-extracting" && file) return [file];
  if (globalThis.JOBLET_BUILD === "compiled") return [Deno.execPath()];
  return [Deno.execPath(), "run", "-A", "--quiet", Deno.mainModule];
}
