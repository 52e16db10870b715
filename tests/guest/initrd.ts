/** The guest's first file system: busybox, the modules that the rest is reached through, and what to run. */

export interface InitrdOptions {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly kernel: string;
  /** Where to build it; it becomes `initrd` there. */
  readonly folder: string;
}

const MODULES = ["virtio_pci", "virtiofs", "overlay", "virtio_console", "virtio_blk", "ext4"];

/** Names that belong to this process, not to the command. */
const OWN_VARIABLES = ["JOBLET_GUEST", "PWD", "OLDPWD", "_"];

export async function writeInitrd({ command, cwd, kernel, folder }: InitrdOptions): Promise<void> {
  const root = `${folder}/initrd.d`;
  for (const name of ["bin", "guest", "modules"]) await Deno.mkdir(`${root}/${name}`, { recursive: true });
  await Deno.copyFile("/bin/busybox", `${root}/bin/busybox`);
  await Deno.symlink("busybox", `${root}/bin/sh`);
  await Deno.copyFile(new URL("./init.sh", import.meta.url), `${root}/init`);
  await Deno.chmod(`${root}/init`, 0o755);
  await Deno.writeTextFile(`${root}/guest/command`, commandScript(command, cwd));
  const order: string[] = [];
  for (const module of MODULES) {
    for (const file of await filesOf(module, kernel)) {
      const name = file.slice(file.lastIndexOf("/") + 1);
      if (order.includes(name)) continue;
      order.push(name);
      await Deno.copyFile(file, `${root}/modules/${name}`);
    }
  }
  await Deno.writeTextFile(`${root}/modules/order`, order.map((name) => `${name}\n`).join(""));
  const pack = new Deno.Command("sh", { args: ["-c", "find . | cpio -o -H newc --quiet >../initrd"], cwd: root });
  if (!(await pack.output()).success) throw new Error("cpio could not pack the guest's first file system");
}

/** The module's file after those that it needs; none if it is built in. */
async function filesOf(module: string, kernel: string): Promise<string[]> {
  const args = ["--set-version", kernel, "--show-depends", module];
  const { code, stdout, stderr } = await new Deno.Command("/sbin/modprobe", { args }).output();
  if (code !== 0) throw new Error(`modprobe: ${new TextDecoder().decode(stderr)}`);
  const lines = new TextDecoder().decode(stdout).split("\n");
  return lines.filter((line) => line.startsWith("insmod ")).map((line) => line.split(" ")[1]!);
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Environment, folder and command, as the shell reads them. */
function commandScript(command: readonly string[], cwd: string): string {
  const variables = Object.entries(Deno.env.toObject())
    .filter(([name]) => /^[A-Za-z_]\w*$/.test(name) && !OWN_VARIABLES.includes(name))
    .map(([name, value]) => `export ${name}=${quoted(value)}`);
  return [
    ...variables,
    "export JOBLET_IN_GUEST=1",
    `cd ${quoted(cwd)} || exit 125`,
    `exec ${command.map(quoted).join(" ")}`,
    "",
  ]
    .join("\n");
}
