/**
 * Lints the .proto sources and writes the code generated from them to proto/gen.
 * With `--check` it writes to a temporary folder and fails when the committed code differs.
 */
const here = new URL(".", import.meta.url).pathname;

/** Runs the pinned buf and throws with its output when it fails. */
async function buf(...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "npm:@bufbuild/buf@1.74.0", ...args],
    cwd: here,
    env: { PATH: `${Deno.execPath().replace(/\/[^/]*$/, "")}:${Deno.env.get("PATH") ?? ""}` },
  }).output();
  if (code === 0) return;
  const decode = new TextDecoder();
  throw new Error(
    `Cannot run buf ${args.join(" ")}: exit code ${code}\n${decode.decode(stdout)}${decode.decode(stderr)}`,
  );
}

async function main(): Promise<void> {
  await buf("lint");
  await buf("format", "-d", "--exit-code");
  if (!Deno.args.includes("--check")) {
    await Deno.remove(`${here}gen`, { recursive: true }).catch((error: unknown) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
    return await buf("generate");
  }
  const fresh = await Deno.makeTempDir({ prefix: "joblet-proto-" });
  try {
    await buf("generate", "-o", fresh);
    const diff = await new Deno.Command("diff", { args: ["-r", `${here}gen`, `${fresh}/gen`] }).output();
    if (diff.code !== 0) {
      throw new Error(`proto/gen is stale: run 'deno task gen'\n${new TextDecoder().decode(diff.stdout)}`);
    }
  } finally {
    await Deno.remove(fresh, { recursive: true });
  }
}

await main();
