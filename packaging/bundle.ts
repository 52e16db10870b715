import type { TarMember } from "./tar.ts";

/** Modules that run as workers, relative to the repository: a bundle needs an entry for each. */
export const WORKERS: readonly string[] = ["core/doctor/namespace_probe_worker.ts"];

const ENTRY = "packaging/entry_self_extracting.ts";

/** The program as JavaScript files; `main.js` starts it. @param root the repository, absolute, without a slash at the end */
export async function bundle(root: string, entry = ENTRY, workers = WORKERS): Promise<TarMember[]> {
  const out = await Deno.makeTempDir({ prefix: "joblet-bundle-" });
  try {
    await runDeno(root, [
      ...["bundle", "--quiet", "--frozen", "--minify", "--code-splitting", "--outdir", out],
      ...[entry, ...workers],
    ]);
    const files = await readTree(out);
    const outputs = await outputNames(files, entry, workers);
    const members = files.map(({ name, text }) => ({ name, mode: 0o644, text: redirectWorkers(name, text, outputs) }));
    const start = outputs.get(entry);
    if (start !== "main.js") members.push({ name: "main.js", mode: 0o644, text: `import "./${start}";\n` });
    return members.sort((a, b) => a.name < b.name ? -1 : 1)
      .map(({ name, mode, text }) => ({ name, mode, bytes: new TextEncoder().encode(text) }));
  } finally {
    await Deno.remove(out, { recursive: true });
  }
}

/** Runs this Deno in the repository; throws with its output if it fails. */
export async function runDeno(root: string, args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: [...args], cwd: root }).output();
  if (code === 0) return;
  const decode = new TextDecoder();
  throw new Error(
    `Cannot run deno ${args.join(" ")}: exit code ${code}\n${decode.decode(stdout)}${decode.decode(stderr)}`,
  );
}

interface TextFile {
  readonly name: string;
  readonly text: string;
}

async function readTree(folder: string, prefix = ""): Promise<TextFile[]> {
  const files: TextFile[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${prefix}`)) {
    if (isDirectory) files.push(...await readTree(folder, `${prefix}${name}/`));
    else files.push({ name: prefix + name, text: await Deno.readTextFile(`${folder}/${prefix}${name}`) });
  }
  return files;
}

/** Where each entry's output lies: below the folder that all entries share. */
function outputNames(files: readonly TextFile[], entry: string, workers: readonly string[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const source of [entry, ...workers]) {
    const built = source.replace(/\.ts$/, ".js");
    const output = files.find(({ name }) => built === name || built.endsWith(`/${name}`));
    if (!output) throw new Error(`Cannot find the output of '${source}' in the bundle`);
    names.set(source, output.name);
  }
  return names;
}

/**
 * Points `new URL("./x.ts", import.meta.url)` at the bundled file: the bundler leaves such URLs alone. Fails on a module that is not
 * listed, which would be missing only at run time.
 */
function redirectWorkers(file: string, text: string, outputs: ReadonlyMap<string, string>): string {
  return text.replaceAll(/new URL\(\s*["'`]([^"'`]+\.ts)["'`],\s*import\.meta\.url\)/g, (_, target: string) => {
    const base = target.replace(/^.*\//, "");
    const matches = [...outputs].filter(([source]) => source.endsWith(`/${base}`));
    if (matches.length !== 1) {
      throw new Error(`Cannot bundle ${file}: list the module '${target}' in WORKERS of packaging/bundle.ts, once`);
    }
    const up = "../".repeat(file.split("/").length - 1) || "./";
    return `new URL("${up}${matches[0]?.[1]}",import.meta.url)`;
  });
}
