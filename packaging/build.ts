/**
 * Makes dist/joblet, one file that is server and client: `deno run -A packaging/build.ts [--kind KIND] [--output FILE]`
 *   compiled         by `deno compile`, which needs its base: a download, or DENORT_BIN
 *   self-extracting  Deno and the bundle behind a shell script
 *   auto             compiled where that works, else self-extracting (default)
 * A file that is up to date is left as it is.
 */
// deno-lint-ignore-file no-console -- A script: what it prints is its result.
import { buildCompiled, canCompile } from "./compiled.ts";
import { buildSelfExtracting } from "./self_extracting.ts";

const KINDS = ["auto", "compiled", "self-extracting"] as const;

interface Options {
  /** @default {"auto"} */
  readonly kind: typeof KINDS[number];
  /** @default dist/joblet */
  readonly output: string;
}

const root = new URL("..", import.meta.url).pathname.replace(/\/$/, "");

/** @throws {RangeError} on what it does not know */
function parseOptions(args: readonly string[]): Options {
  let options: Options = { kind: "auto", output: `${root}/dist/joblet` };
  for (let at = 0; at < args.length; at += 2) {
    const [flag, value = ""] = args.slice(at, at + 2);
    const kind = KINDS.find((known) => known === value);
    if (flag === "--kind" && kind) options = { ...options, kind };
    else if (flag === "--output" && value) options = { ...options, output: value };
    else {throw new RangeError(
        `Cannot build with '${flag} ${value}': --kind ${KINDS.join("|")}, --output FILE are wanted`,
      );}
  }
  return options;
}

async function build(kind: Options["kind"]): Promise<Uint8Array> {
  if (kind === "compiled") return await buildCompiled(root);
  if (kind === "auto" && await canCompile()) {
    try {
      return await buildCompiled(root);
    } catch (error) {
      console.warn(`Falling back to a self-extracting file. ${error instanceof Error ? error.message : error}`);
    }
  }
  return await buildSelfExtracting(root);
}

/** Replaces the file in one step: one that runs stays whole. @returns whether it had to */
async function replace(path: string, bytes: Uint8Array): Promise<boolean> {
  if (await holds(path, bytes)) return false;
  const dir = path.includes("/") ? path.replace(/\/[^/]*$/, "/") : ".";
  await Deno.mkdir(dir, { recursive: true });
  const temporary = await Deno.makeTempFile({ dir, prefix: ".joblet-" });
  try {
    await Deno.writeFile(temporary, bytes);
    await Deno.chmod(temporary, 0o755);
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary);
    throw error;
  }
  return true;
}

async function holds(path: string, bytes: Uint8Array): Promise<boolean> {
  try {
    const old = await Deno.readFile(path);
    return old.length === bytes.length && old.every((byte, index) => byte === bytes[index]);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function main(): Promise<void> {
  const { kind, output } = parseOptions(Deno.args);
  const wanted = (await Deno.readTextFile(`${root}/.deno-version`)).trim();
  if (Deno.version.deno !== wanted) {
    throw new Error(`Cannot build with Deno ${Deno.version.deno}: ${wanted} is wanted, packaging/deno.sh gets it`);
  }
  const bytes = await build(kind);
  const changed = await replace(output, bytes);
  console.log(`${changed ? "Built" : "Up to date:"} ${output}, ${(bytes.length / 1e6).toFixed(1)} MB`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exit(1);
}
