/** Servers that are not there: every face says so, soon and in one line. */
import assert from "node:assert/strict";
import { freePort } from "../harness/free_port.ts";
import { TestServer } from "../harness/server.ts";

const ID = "0fb570a0-6753-4486-b3e5-9e84cd0a03ca";

/** Command lines that need a server. */
const LINES: readonly (readonly string[])[] = [
  ["ps"],
  ["logs", ID],
  ["wait", ID],
  ["jobworker", "start", "true"],
  ["jobworker", "stream", ID],
  ["jobc", "stop", ID],
  ["jobc", "logs", ID],
  ["rnx", "job", "run", "true"],
  ["rnx", "job", "log", ID],
  ["rnx", "list", "--json"],
];

/** A port that accepts no more connections and answers none: whoever connects waits. */
class SilentPort implements Disposable {
  private constructor(readonly port: number, readonly listener: Deno.Listener, readonly waiting: Deno.Conn[]) {}

  static async open(): Promise<SilentPort> {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
    const { port } = listener.addr;
    const silent = new SilentPort(port, listener, []);
    for (;;) {
      try {
        const signal = AbortSignal.timeout(300);
        silent.waiting.push(await Deno.connect({ hostname: "127.0.0.1", port, signal }));
      } catch (error) {
        if (error instanceof Error && error.name === "TimeoutError") return silent;
        silent[Symbol.dispose]();
        throw error;
      }
      assert(silent.waiting.length < 100, "the queue of the port is short");
    }
  }

  [Symbol.dispose](): void {
    for (const connection of this.waiting) connection.close();
    this.listener.close();
  }
}

/** A command's start among others, which is not the server's fault. */
const START_MS = 2500;
/** Commands at once: they mostly wait. */
const AT_ONCE = 5;

async function checkLines(port: number, reason: RegExp, soonMs: number): Promise<void> {
  await using server = await TestServer.start({ launch: false });
  const file = `${server.home}/config/rnx-config.yml`;
  await Deno.writeTextFile(file, (await Deno.readTextFile(file)).replaceAll(`:${server.port}`, `:${port}`));
  const left = [...LINES];
  const check = async (words: readonly string[]) => {
    const begun = performance.now();
    const { code, stdout, stderr } = await server.cli(...words);
    const ms = performance.now() - begun;
    assert.deepEqual([code, stdout], [1, ""], `${words.join(" ")}: ${stderr}`);
    assert.match(
      stderr,
      /^(joblet|jobworker|jobc|rnx): Cannot reach the server at \S+: .*'joblet server' starts one .*\n$/,
    );
    assert.match(stderr, reason);
    const face = ["jobworker", "jobc", "rnx"].find((name) => name === words[0]) ?? "joblet";
    assert(stderr.startsWith(`${face}: `), stderr);
    assert(ms < soonMs + START_MS, `${words.join(" ")} takes ${Math.round(ms)} ms`);
  };
  const checkAll = async () => {
    for (let words = left.pop(); words; words = left.pop()) await check(words);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, checkAll));
}

Deno.test("a port where nobody listens is told at once, with what to do", async () => {
  await checkLines(freePort(), /connection refused/, 0);
});

Deno.test("an address that swallows packets is told within two seconds, with what to do", async () => {
  using silent = await SilentPort.open();
  await checkLines(silent.port, /timed out/, 2000);
});
