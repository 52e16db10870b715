/**
 * Builds the native pieces for both architectures and writes them to blobs.gen.ts. With `--check` it writes nothing
 * and fails when the committed bytes differ. Needs gcc and gcc-aarch64-linux-gnu of the version named in blobs.gen.ts:
 * another one makes other bytes.
 */
const here = new URL(".", import.meta.url).pathname;

const ARCHES = { x86_64: "x86_64-linux-gnu-", aarch64: "aarch64-linux-gnu-" } as const;
type Arch = keyof typeof ARCHES;

const COMMON =
  "-ffreestanding -fno-builtin -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -nostdlib -Wall -Wextra -Werror -g0";

async function tool(name: string, ...args: string[]): Promise<string> {
  const output = await new Deno.Command(name, { args, cwd: here }).output().catch((cause: unknown) => {
    throw new Error(`Cannot run ${name}: install gcc, binutils and gcc-aarch64-linux-gnu`, { cause });
  });
  const text = new TextDecoder().decode(output.stdout) + new TextDecoder().decode(output.stderr);
  if (output.code !== 0) throw new Error(`Cannot build: ${name} ${args.join(" ")}\n${text}`);
  return text.trim();
}

function flags(arch: Arch, extra: string): string[] {
  const common = arch === "x86_64" ? COMMON : COMMON.replace("-fcf-protection=none ", "");
  return `${common} ${extra}`.split(" ");
}

async function buildTrampoline(arch: Arch, dir: string): Promise<Uint8Array> {
  const prefix = ARCHES[arch];
  const outline = arch === "aarch64" ? " -mno-outline-atomics" : "";
  await tool(`${prefix}gcc`, ...flags(arch, `-Os -fPIC -fno-jump-tables${outline} -c trampoline.c -o ${dir}/t.o`));
  await tool(`${prefix}ld`, "-T", "trampoline.ld", "-o", `${dir}/t.elf`, `${dir}/t.o`);
  await tool(`${prefix}objcopy`, "-O", "binary", "-j", ".text", `${dir}/t.elf`, `${dir}/t.bin`);
  return await Deno.readFile(`${dir}/t.bin`);
}

async function buildInit(arch: Arch, dir: string): Promise<Uint8Array> {
  const link = "-Wl,--build-id=none -Wl,-z,norelro -Wl,-z,noexecstack -Wl,-z,noseparate-code";
  const compile = `-O2 -static -fno-pic -no-pie -fno-tree-loop-distribute-patterns ${link} -s init.c -o ${dir}/init`;
  await tool(`${ARCHES[arch]}gcc`, ...flags(arch, compile));
  return await Deno.readFile(`${dir}/init`);
}

function literal(name: string, bytes: Uint8Array): string {
  const lines = bytes.toBase64().match(/.{1,110}/g) ?? [];
  return `  ${name}:\n${lines.map((line) => `    "${line}"`).join(" +\n")},\n`;
}

async function generate(): Promise<string> {
  const dir = await Deno.makeTempDir({ prefix: "native-" });
  try {
    const compiler = (await tool(`${ARCHES.x86_64}gcc`, "--version")).split("\n")[0];
    let text = `// Made by ffi/native/build.ts with ${compiler}; do not edit.\n\n`;
    text += "/** Position-independent code of trampoline.c, base64. */\nexport const TRAMPOLINE = {\n";
    for (const arch of Object.keys(ARCHES) as Arch[]) text += literal(arch, await buildTrampoline(arch, dir));
    text += "} as const;\n\n/** Static executable of init.c, base64. */\nexport const INIT = {\n";
    for (const arch of Object.keys(ARCHES) as Arch[]) text += literal(arch, await buildInit(arch, dir));
    return text + "} as const;\n";
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const target = `${here}blobs.gen.ts`;
const text = await generate();
if (!Deno.args.includes("--check")) {
  await Deno.writeTextFile(target, text);
} else if (text !== await Deno.readTextFile(target)) {
  throw new Error(
    `${target} is stale or was built by another compiler: run 'deno task gen' and look at the difference`,
  );
}
