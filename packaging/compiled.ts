import { runDeno, WORKERS } from "./bundle.ts";

/** Where `deno compile` gets the base of its files from. */
const DOWNLOADS = "https://dl.deno.land/";
const REACH_TIMEOUT_MS = 3000;

/** Whether `deno compile` has, or can get, the base that it appends the program to. */
export async function canCompile(): Promise<boolean> {
  if (Deno.env.get("DENORT_BIN")) return true;
  try {
    const response = await fetch(DOWNLOADS, { method: "HEAD", signal: AbortSignal.timeout(REACH_TIMEOUT_MS) });
    await response.body?.cancel();
    return true;
  } catch {
    // No name, no route, a proxy that refuses: all mean that the base can't be had.
    return false;
  }
}

/**
 * Makes the single file with `deno compile`. Runs it once: a wrong DENORT_BIN, such as Deno itself, gives a file that is a
 * bare JavaScript prompt.
 * @param root the repository, absolute
 */
export async function buildCompiled(root: string): Promise<Uint8Array> {
  const folder = await Deno.makeTempDir({ prefix: "joblet-compile-" });
  const file = `${folder}/joblet`;
  try {
    await runDeno(root, [
      ...["compile", "--quiet", "--frozen", "--no-check", "-A", "--output", file],
      ...WORKERS.flatMap((worker) => ["--include", worker]),
      "packaging/entry_compiled.ts",
    ]);
    const { stdout } = await new Deno.Command(file, { args: ["--version"], stdin: "null", stderr: "null" }).output();
    const answer = new TextDecoder().decode(stdout).trim();
    if (!answer.includes("compiled")) {
      throw new Error(`Cannot use what deno compile made: '--version' says '${answer}', not that it is compiled`);
    }
    return await Deno.readFile(file);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
