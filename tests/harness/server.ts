/**
 * A joblet server of its own for a test: temporary home folder, certificates, loopback port; driven through the real
 * command line. Ends with the test, shows the server's log if the test failed, and lists what was left behind.
 */
import assert from "node:assert/strict";
import { freePort } from "./free_port.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** Characters of a server's log that are kept for a failing test. */
const LOG_KEPT = 1 << 20;

/** What a finished command printed. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Command and first arguments that run joblet: a built file if JOBLET_DIST names one, else the sources. */
export function jobletCommand(): readonly [string, ...string[]] {
  const dist = Deno.env.get("JOBLET_DIST");
  return dist ? [dist] : [Deno.execPath(), "run", "-A", "--quiet", MAIN];
}

export interface TestServerOptions {
  /** Sections of the configuration file besides those that `certs init` writes, as YAML. */
  readonly config?: string;
  /** Runs the server instead of joblet itself: command and first arguments. */
  readonly command?: readonly [string, ...string[]];
  /** Whether to start the server at once. @default {true} */
  readonly launch?: boolean;
  /** Flags of `joblet server`. */
  readonly args?: readonly string[];
  /** Environment of the server, besides the usual. */
  readonly env?: Readonly<Record<string, string>>;
}

export class TestServer implements AsyncDisposable {
  readonly home: string;
  readonly port: number;
  /** Environment of servers launched from now on, besides the usual. */
  serverEnv: Readonly<Record<string, string>> = {};
  /** What servers launched from now on are run by. */
  serverCommand: readonly [string, ...string[]] | undefined;
  #args: readonly string[] = [];
  #process: Deno.ChildProcess | undefined;
  /** The process has ended, whoever wanted that. */
  #isGone = false;
  #log = "";
  #drained: Promise<unknown> = Promise.resolve();

  private constructor(home: string, port: number) {
    this.home = home;
    this.port = port;
  }

  /** Makes a home with certificates and starts a server on it. */
  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const server = new TestServer(await Deno.makeTempDir({ prefix: "joblet-test-" }), freePort());
    server.serverEnv = options.env ?? {};
    server.serverCommand = options.command;
    server.#args = options.args ?? [];
    try {
      const made = await server.cli("certs", "init", "--port", String(server.port));
      assert.equal(made.code, 0, made.stderr);
      await Deno.writeTextFile(`${server.home}/config/joblet-config.yml`, `\n${options.config ?? ""}\n`, {
        append: true,
      });
      if (options.launch !== false) await server.launch();
      return server;
    } catch (error) {
      await Deno.remove(server.home, { recursive: true });
      throw error;
    }
  }

  get env(): Record<string, string> {
    // HOME is the test's, but the runtime's own cache must stay where the modules are.
    const cache = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
    return {
      JOBLET_HOME: this.home,
      PATH: Deno.env.get("PATH") ?? "",
      NO_COLOR: "1",
      HOME: this.home,
      DENO_DIR: cache,
    };
  }

  get pid(): number {
    assert(this.#process, "the server runs");
    return this.#process.pid;
  }

  /** Starts the server process and waits until it listens. */
  async launch(): Promise<void> {
    await this.begin();
  }

  /** Starts the server process. @returns resolves when it listens, rejects if it ends before */
  begin(): Promise<void> {
    const [command, ...first] = this.serverCommand ?? jobletCommand();
    const process = this.#spawn(command, [...first, "server", ...this.#args], { ...this.env, ...this.serverEnv });
    this.#process = process;
    this.#isGone = false;
    process.status.then(() => this.#isGone ||= this.#process === process);
    const listening = Promise.withResolvers<void>();
    const stdout = this.#collect(process.stdout, listening.resolve);
    const stderr = this.#collect(process.stderr, () => {});
    this.#drained = Promise.all([stdout, stderr]).then(() => {
      listening.reject(new Error(`The server ended before it listened:\n${this.#log}`));
    });
    return listening.promise;
  }

  async #collect(stream: ReadableStream<Uint8Array>, onListening: () => void): Promise<void> {
    const decoder = new TextDecoder();
    let listening = false;
    for await (const chunk of stream) {
      this.#log += decoder.decode(chunk, { stream: true });
      if (!listening && this.#log.includes("listening on ")) {
        listening = true;
        onListening();
      }
      if (this.#log.length > 2 * LOG_KEPT) this.#log = this.#log.slice(-LOG_KEPT);
    }
  }

  /** The last of what the server printed. */
  get log(): string {
    return this.#log;
  }

  /** Resolves with the exit code when the server process ends by itself. */
  async ended(): Promise<number> {
    const process = this.#process;
    assert(process, "the server runs");
    const { code } = await process.status;
    await this.#drained;
    this.#process = undefined;
    return code;
  }

  /** Ends the server process and waits for it. @returns its exit code */
  async end(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    const process = this.#process;
    assert(process, "the server runs");
    this.#process = undefined;
    process.kill(signal);
    const { code } = await process.status;
    await this.#drained;
    return code;
  }

  /** Starts a joblet command on this home. */
  spawn(...args: string[]): Deno.ChildProcess {
    const [command, ...first] = jobletCommand();
    return this.#spawn(command, [...first, ...args], this.env);
  }

  #spawn(command: string, args: readonly string[], env: Record<string, string>): Deno.ChildProcess {
    return new Deno.Command(command, {
      args: [...args],
      env,
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** Runs a joblet command on this home to its end. */
  async cli(...args: string[]): Promise<CommandResult> {
    const { code, stdout, stderr } = await this.spawn(...args).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  /** Makes a certificate for another client. @returns the flags that have a joblet command use it */
  async newClient(name: string, role: string): Promise<string[]> {
    const { code, stdout, stderr } = await this.cli("certs", "client", name, "--role", role);
    assert.equal(code, 0, stderr);
    const path = /^wrote (.*)$/m.exec(stdout)?.[1];
    assert(path, stdout);
    return ["--config", path];
  }

  /** Runs `joblet run -d` and returns the job's id. */
  async detach(...command: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.cli("run", "-d", ...command);
    assert.equal(code, 0, stderr);
    return stdout.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isGone) await this.ended();
    if (this.#process) {
      const { stdout } = await this.cli("ps", "--json");
      const live = (JSON.parse(stdout || "[]") as { id: string; status: string }[])
        .filter(({ status }) => ["PENDING", "SCHEDULED", "INITIALIZING", "RUNNING", "STOPPING"].includes(status)).map((
          { id },
        ) => id);
      if (live.length > 0) await this.cli("stop", "--signal", "KILL", ...live);
      await this.end();
    }
    if (Deno.env.get("JOBLET_TEST_KEEP")) return;
    await Deno.remove(this.home, { recursive: true });
  }
}
