/**
 * First process of the namespaces that vm.ts makes: shows the guest the host's files, boots it, waits for its command's end.
 * All that it mounts and writes lies in these namespaces, and is gone with them.
 */
import { writeInitrd } from "./initrd.ts";
import { guestKernel } from "./needs.ts";
import { GUEST_FAILED } from "./vm.ts";

interface Order {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly memoryMib: number;
  readonly console: boolean;
}

/** A tmpfs of these namespaces over the host's /run. */
const OWN = "/run";
const TREE = `${OWN}/tree`;
const SOCKET = `${OWN}/files.sock`;
const CONSOLE = `${OWN}/console`;
const BOOT_LIMIT_MS = 60_000;
const BOOT_TRIES = 3;

async function tool(command: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await new Deno.Command(command, { args, stdin: "null", stdout: "null" }).output();
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

/** The mount that a path lies on, as its mount point. */
async function mountOf(path: string): Promise<string> {
  const { stdout } = await new Deno.Command("findmnt", { args: ["-nro", "TARGET", "--target", path] }).output();
  return new TextDecoder().decode(stdout).trim().replaceAll("\\x20", " ");
}

/** Shows what commands need of the host at TREE, read-only. The host's other mounts stay out of the guest's reach. */
async function makeTree(cwd: string): Promise<void> {
  const { HOME = "/root", DENO_DIR } = Deno.env.toObject();
  const wanted = ["/", "/usr", "/etc", "/var", "/opt", "/tmp", HOME, DENO_DIR ?? HOME, cwd];
  const paths = [...wanted, Deno.execPath(), import.meta.dirname!].filter((path) => {
    return Deno.realPathSync(path) !== undefined;
  });
  const points = new Set<string>();
  for (const path of paths) points.add(await mountOf(Deno.realPathSync(path)));
  await tool("mount", "-t", "tmpfs", "-o", "mode=700", "guest", OWN);
  await Deno.mkdir(TREE);
  // "/" comes before what lies on it.
  for (const point of [...points].sort()) await tool("mount", "-o", "bind,ro", point, `${TREE}${point}`);
}

/** Serves TREE to the guest; resolves when it listens. */
async function serveFiles(): Promise<void> {
  const options = ["-o", `source=${TREE}`, "-o", "sandbox=chroot", "-o", "cache=always,no_xattr"];
  const daemon = new Deno.Command("/usr/lib/qemu/virtiofsd", {
    args: [`--socket-path=${SOCKET}`, ...options, "-f"],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const listening = Promise.withResolvers<void>();
  void collect(daemon.stderr, (text) => {
    if (text.includes("Waiting for vhost-user socket connection")) listening.resolve();
  }).then((text) => listening.reject(new Error(`virtiofsd ended: ${text}`)));
  await listening.promise;
}

async function collect(stream: ReadableStream<Uint8Array>, look: (text: string) => void): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) look(text += decoder.decode(chunk, { stream: true }));
  return text;
}

/** A blank disk in a file that has no name any more, then the machine on it. */
const START = `set -e
disk=$(mktemp); exec 8<>"$disk"; rm "$disk"; truncate -s 8G /proc/self/fd/8
mkfs.ext4 -qF -E nodiscard,lazy_itable_init=1,lazy_journal_init=1 /proc/self/fd/8
exec qemu-system-x86_64 "$@"`;

function machine({ memoryMib }: Order, kernel: string): string[] {
  const port = (name: string, path: string) => [
    ...["-chardev", `file,id=${name},path=${path},append=on`],
    ...["-device", `virtserialport,chardev=${name},name=${name}`],
  ];
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...["-machine", "q35,memory-backend=memory", "-accel", "tcg,thread=multi", "-cpu", "max,la57=off"],
    ...["-smp", "2", "-m", `${memoryMib}M`],
    ...["-object", `memory-backend-memfd,id=memory,size=${memoryMib}M,share=on`],
    ...["-chardev", `socket,id=files,path=${SOCKET}`, "-device", "vhost-user-fs-pci,chardev=files,tag=host"],
    ...["-drive", "if=none,id=disk,format=raw,cache=unsafe,discard=unmap,file=/proc/self/fd/8"],
    ...["-device", "virtio-blk-pci,drive=disk", "-device", "virtio-serial-pci"],
    // This process is 1 here: what the command prints goes to the harness without a stop on the way.
    ...port("stdout", "/proc/1/fd/1"),
    ...port("stderr", "/proc/1/fd/2"),
    ...port("status", "/proc/self/fd/1"),
    ...["-serial", `file:${CONSOLE}`, "-kernel", `/boot/vmlinuz-${kernel}`, "-initrd", `${OWN}/initrd`],
    ...["-append", "console=ttyS0 panic=-1 mitigations=off nokaslr tsc=reliable no_timer_check lpj=10000000 quiet"],
  ];
}

/** @returns the command's exit code; undefined if the guest did not get as far as starting it */
async function bootOnce(order: Order, kernel: string): Promise<number | undefined> {
  await serveFiles();
  const qemu = new Deno.Command("sh", {
    args: ["-c", START, "start", ...machine(order, kernel)],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const timer = setTimeout(() => qemu.kill("SIGKILL"), BOOT_LIMIT_MS);
  try {
    const status = await collect(qemu.stdout, (text) => {
      if (text.startsWith("up\n")) clearTimeout(timer);
    });
    await qemu.status;
    const code = /^exit (\d+)$/m.exec(status)?.[1];
    if (code !== undefined) return Number(code);
    return status.startsWith("up\n") ? GUEST_FAILED : undefined;
  } finally {
    clearTimeout(timer);
  }
}

async function main(): Promise<number> {
  const order = JSON.parse(Deno.env.get("JOBLET_GUEST")!) as Order;
  const kernel = guestKernel()!;
  await makeTree(order.cwd);
  await writeInitrd({ ...order, kernel, folder: OWN });
  let code: number | undefined;
  for (let attempt = 0; code === undefined && attempt < BOOT_TRIES; attempt++) code = await bootOnce(order, kernel);
  if (order.console || code === undefined || code === GUEST_FAILED) {
    const lines = (await Deno.readTextFile(CONSOLE)).split("\n");
    const shown = order.console ? lines : ["guest: it died; its last messages:", ...lines.slice(-20)];
    await Deno.stderr.write(new TextEncoder().encode(`${shown.join("\n")}\n`));
  }
  return code ?? GUEST_FAILED;
}

Deno.exit(await main());
