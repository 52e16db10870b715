/**
 * A throw-away Linux guest: boots Debian's cloud kernel under emulation, shows it the host's files read-only below an overlay,
 * and runs one command in it as root. What a test may break there, it can't break here.
 *
 *   deno run -A tests/guest/vm.ts [--seconds N] [--memory MIB] [--console] -- COMMAND ARG...
 *
 * Exit code: the command's; 124 after the time limit, 125 if the guest failed.
 */
// deno-lint-ignore-file no-console -- A script: what it prints is its result.
import { GUEST_NEEDS, missingNeeds } from "./needs.ts";

export interface GuestOptions {
  /** Command and arguments, run in the caller's folder with the caller's environment. */
  readonly command: readonly string[];
  /** Time for boot and command. @default {300} */
  readonly seconds?: number;
  /** Memory of the guest. @default {2048} */
  readonly memoryMib?: number;
  /** Shows the guest kernel's messages on stderr. @default {false} */
  readonly console?: boolean;
  readonly stdout: (chunk: Uint8Array) => Promise<unknown>;
  readonly stderr: (chunk: Uint8Array) => Promise<unknown>;
}

/** Exit codes that are the harness's own. */
export const TIME_LIMIT = 124;
export const GUEST_FAILED = 125;

const BOOT = new URL("./boot.ts", import.meta.url).pathname;

/** Runs a command in a guest to its end. @returns its exit code */
export async function runInGuest(options: GuestOptions): Promise<number> {
  const missing = missingNeeds();
  if (missing.length > 0) throw new Error(`Cannot boot a guest: install ${missing.join(" ")}`);
  const { command, seconds = 300, memoryMib = 2048, console: shown = false } = options;
  const child = new Deno.Command("setpriv", {
    // The kernel ends all of it with this process, whichever way that ends.
    args: ["--pdeathsig", "KILL", "unshare", ...NAMESPACES, Deno.execPath(), "run", "-A", "--no-check", BOOT],
    env: { JOBLET_GUEST: JSON.stringify({ command, memoryMib, console: shown, cwd: Deno.cwd() }) },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, seconds * 1000);
  try {
    const pumps = [pump(child.stdout, options.stdout), pump(child.stderr, options.stderr)];
    const { code } = await child.status;
    await Promise.all(pumps);
    if (!late) return code;
    await options.stderr(new TextEncoder().encode(`guest: time limit of ${seconds} s reached\n`));
    return TIME_LIMIT;
  } finally {
    clearTimeout(timer);
  }
}

/** All mounts are made in a mount namespace of its own, and the end of its first process ends the rest. */
const NAMESPACES = ["--mount", "--propagation", "private", "--pid", "--ipc", "--uts", "--net"]
  .concat(["--fork", "--kill-child", "--mount-proc"]);

async function pump(from: ReadableStream<Uint8Array>, to: (chunk: Uint8Array) => Promise<unknown>): Promise<void> {
  for await (const chunk of from) await to(chunk);
}

/** Writes all of it: one call may take less. */
export function writerOf(stream: { write(chunk: Uint8Array): Promise<number> }) {
  return async (chunk: Uint8Array): Promise<void> => {
    for (let rest = chunk; rest.length > 0;) rest = rest.subarray(await stream.write(rest));
  };
}

function usage(): never {
  console.error("usage: vm.ts [--seconds N] [--memory MIB] [--console] -- COMMAND ARG...");
  Deno.exit(GUEST_FAILED);
}

async function main(args: readonly string[]): Promise<number> {
  const split = args.indexOf("--");
  const command = args.slice(split + 1);
  if (split < 0 || command.length === 0) usage();
  const flags = new Map<string, string>();
  for (let at = 0; at < split; at++) {
    const name = args[at]!;
    if (name === "--console") flags.set(name, "");
    else if (["--seconds", "--memory"].includes(name) && /^[1-9]\d*$/.test(args[at + 1] ?? "")) {
      flags.set(name, args[++at]!);
    } else usage();
  }
  return await runInGuest({
    command,
    seconds: Number(flags.get("--seconds") ?? 300),
    memoryMib: Number(flags.get("--memory") ?? 2048),
    console: flags.has("--console"),
    stdout: writerOf(Deno.stdout),
    stderr: writerOf(Deno.stderr),
  });
}

if (import.meta.main) {
  if (missingNeeds().length > 0) console.error(`guest needs: ${GUEST_NEEDS.map(({ path }) => path).join(" ")}`);
  Deno.exit(await main(Deno.args));
}
