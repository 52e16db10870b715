/**
 * Lints the .proto sources, refuses changes that would break clients, and writes the code generated from them to proto/gen
 * and what clients may rely on from now on to proto/published.binpb.
 * With `--check` it writes to a temporary folder and fails when what is committed differs.
 */
const here = new URL(".", import.meta.url).pathname;

const PUBLISHED = "published.binpb";

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

/** Writes all messages and services, without their comments. */
async function publish(path: string): Promise<void> {
  await buf("build", "--exclude-source-info", "-o", path);
}

async function main(): Promise<void> {
  await buf("lint");
  await buf("format", "-d", "--exit-code");
  await buf("breaking", "--against", PUBLISHED);
  if (!Deno.args.includes("--check")) {
    await Deno.remove(`${here}gen`, { recursive: true }).catch((error: unknown) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
    await buf("generate");
    return await publish(PUBLISHED);
  }
  const fresh = await Deno.makeTempDir({ prefix: "joblet-proto-" });
  try {
    await buf("generate", "-o", fresh);
    await publish(`${fresh}/${PUBLISHED}`);
    for (const name of ["gen", PUBLISHED]) {
      const diff = await new Deno.Command("diff", { args: ["-r", `${here}${name}`, `${fresh}/${name}`] }).output();
      if (diff.code === 0) continue;
      throw new Error(`proto/${name} is stale: run 'deno task gen'\n${new TextDecoder().decode(diff.stdout)}`);
    }
  } finally {
    await Deno.remove(fresh, { recursive: true });
  }
}

await main();
