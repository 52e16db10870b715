/** A server on a home folder of its own that takes over changed certificates, and its log. */
import { type Home, homeAt } from "../../core/values/home.ts";
import { getLogger, setUpLogging } from "../../core/std_log.ts";
import { initAuthority } from "../certs/authority.ts";
import { loadServerConfig } from "../config/config.ts";
import { Reloader } from "../server/reload.ts";
import { type RunningServer, startServer } from "../server/tls_server.ts";
import { FakeEngine } from "./fake_engine.ts";

export class LiveHome implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly #events = new EventTarget();

  private constructor(
    readonly home: Home,
    readonly engine: FakeEngine,
    readonly running: RunningServer,
    readonly reloader: Reloader,
  ) {}

  static async start(): Promise<LiveHome> {
    const home = homeAt(await Deno.makeTempDir({ prefix: "joblet-live-" }));
    const started: LiveHome[] = [];
    const write = (line: Uint8Array) => started.forEach((live) => live.#note(new TextDecoder().decode(line)));
    setUpLogging({ format: "json", write });
    await initAuthority({ home, port: 0 });
    const config = loadServerConfig(home);
    const engine = new FakeEngine();
    const log = getLogger("server");
    const server = await startServer({ engine, config });
    const live = new LiveHome(home, engine, server, new Reloader({ home, config, server, log }));
    started.push(live);
    return live;
  }

  /** Does something and waits for a line of the log about it. */
  async logged(pattern: RegExp, action: () => unknown): Promise<string> {
    const from = this.lines.length;
    await action();
    while (true) {
      const line = this.lines.slice(from).find((text) => pattern.test(text));
      if (line !== undefined) return line;
      await new Promise((resolve) => this.#events.addEventListener("line", resolve, { once: true }));
    }
  }

  #note(line: string): void {
    this.lines.push(line);
    this.#events.dispatchEvent(new Event("line"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.reloader[Symbol.asyncDispose]();
    await this.running.close(0);
    setUpLogging({ write: () => {} });
    await Deno.remove(this.home.root, { recursive: true });
  }
}
