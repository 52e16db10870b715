/** On a host where nobody has set up joblet, `joblet run` does so: certificates, and a server in the background. */
import { currentHome, type Home } from "../core/values/home.ts";
import { isListening } from "./client.ts";
import { CliError } from "./errors.ts";
import type { HostCommands } from "./host.ts";
import { selfCommand } from "./self.ts";
import type { Terminal } from "./terminal.ts";

const DEFAULT_PORT = 50051;
const START_TIMEOUT_MS = 30_000;

/**
 * Starts a server for this host's home folder and waits until it listens. Of several callers one does it, the others wait
 * for that one. @param isUp asked once no other caller is at it @throws {CliError}
 */
export async function startLocalServer(
  host: HostCommands,
  terminal: Terminal,
  isUp: () => Promise<boolean>,
): Promise<void> {
  const home = currentHome();
  if (Deno.uid() !== 0) {
    throw new CliError(
      "Cannot find a server: as root, 'joblet run' starts one; as a user, get an rnx-config.yml from its owner",
    );
  }
  await Deno.mkdir(home.run, { recursive: true, mode: 0o700 });
  using lock = await Deno.open(`${home.run}/autostart.lock`, { create: true, write: true, mode: 0o600 });
  await lock.lock(true);
  if (await isUp()) return;
  if (!await exists(`${home.config}/joblet-config.yml`)) {
    await host.certsInit({ home, address: "127.0.0.1", port: await choosePort(), hosts: [], force: false });
  }
  await launch(home);
  await terminal.err(
    `joblet: started a server for this host in the background (${home.root}, log in ${home.run}/server.log)\n`,
  );
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The usual port, or a free one if somebody else has it. */
async function choosePort(): Promise<number> {
  if (!await isListening(`127.0.0.1:${DEFAULT_PORT}`)) return DEFAULT_PORT;
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Starts `joblet server` in a session of its own, so that it outlives this terminal. */
async function launch(home: Home): Promise<void> {
  const log = `${home.run}/server.log`;
  const begin = await Deno.open(log, { create: true, append: true, mode: 0o600 });
  const { size } = await begin.stat();
  begin.close();
  const watcher = Deno.watchFs(log);
  const timer = setTimeout(() => watcher.close(), START_TIMEOUT_MS);
  try {
    const [command, ...args] = selfCommand();
    const script = 'log=$1; shift; exec "$@" </dev/null >>"$log" 2>&1';
    const child = new Deno.Command("setsid", {
      args: ["sh", "-c", script, "sh", log, command, ...args, "server"],
      env: { JOBLET_HOME: home.root },
      cwd: "/",
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    child.unref();
    const ended = child.status.then(() => "ended" as const);
    await untilListening(watcher, log, size, ended);
  } finally {
    clearTimeout(timer);
    watcher.close();
  }
}

/** Reads the log after each change. @throws {CliError} with the log's last line if the server ends or takes too long */
async function untilListening(
  watcher: Deno.FsWatcher,
  log: string,
  from: number,
  ended: Promise<"ended">,
): Promise<void> {
  const events = watcher[Symbol.asyncIterator]();
  for (;;) {
    const text = new TextDecoder().decode((await Deno.readFile(log)).subarray(from));
    if (/^listening on /m.test(text)) return;
    const event = await Promise.race([events.next(), ended]);
    if (event === "ended" || event.done) {
      const last = new TextDecoder().decode((await Deno.readFile(log)).subarray(from)).trim().split("\n").at(-1);
      throw new CliError(`Cannot start a server on this host: ${last || "it printed nothing"} (see ${log})`);
    }
  }
}
