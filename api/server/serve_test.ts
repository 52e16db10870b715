import assert from "node:assert/strict";
import { EngineError } from "../../core/errors.ts";
import { homeAt } from "../../core/values/home.ts";
import { initAuthority } from "../certs/authority.ts";
import { assertPinnedRuntime } from "./serve.ts";

const MAIN = new URL("../testing/serve_main.ts", import.meta.url).pathname;

async function withHome(body: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "joblet-serve-" });
  try {
    await body(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** A server process; `line` is its first line on stdout. */
async function start(root: string, ...args: string[]) {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MAIN, root, ...args],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(process.stderr).text();
  const output = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let line = "";
  while (!line.endsWith("\n")) {
    const { value, done } = await output.read();
    if (done) break;
    line += value;
  }
  return {
    line: line.trimEnd(),
    pid: process.pid,
    async end(signal?: "SIGTERM" | "SIGINT" | "SIGKILL") {
      if (signal) process.kill(signal);
      await output.cancel();
      const { code } = await process.status;
      return { code, stderr: await stderr };
    },
  };
}

Deno.test("serve says where it listens and ends with code 0 on SIGTERM and SIGINT", async () => {
  await withHome(async (root) => {
    await initAuthority({ home: homeAt(root), port: 0 });
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const server = await start(root);
      assert.match(server.line, /^listening on 127\.0\.0\.1:\d+$/);
      const { code, stderr } = await server.end(signal);
      assert.equal(code, 0, stderr);
      assert.match(stderr, /"message":"Listening"/);
      assert.match(stderr, new RegExp(`"message":"Stopping".*"signal":"${signal}"`));
    }
  });
});

Deno.test("serve refuses a home folder that is served already and names the pid; a killed server holds nothing", async () => {
  await withHome(async (root) => {
    await initAuthority({ home: homeAt(root), port: 0 });
    const first = await start(root);
    const second = await start(root);
    const refused = await second.end();
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, new RegExp(`Cannot start: the server with pid ${first.pid} serves ${root} already`));
    await first.end("SIGKILL");
    const third = await start(root);
    assert.match(third.line, /^listening on/);
    assert.equal((await third.end("SIGTERM")).code, 0);
  });
});

Deno.test("serve logs stray errors and goes on", async () => {
  await withHome(async (root) => {
    await initAuthority({ home: homeAt(root), port: 0 });
    const server = await start(root, "stray");
    assert.match(server.line, /^listening on/);
    const { code, stderr } = await server.end("SIGTERM");
    assert.equal(code, 0, stderr);
    assert.match(stderr, /"Unhandled rejection".*stray rejection/);
    assert.match(stderr, /"Uncaught error".*stray error/);
  });
});

Deno.test("serve without a configuration ends with code 1 and says what to run", async () => {
  await withHome(async (root) => {
    const server = await start(root);
    assert.equal(server.line, "");
    const { code, stderr } = await server.end();
    assert.equal(code, 1);
    assert.equal(
      stderr,
      `joblet server: Cannot find ${root}/config/joblet-config.yml: run 'joblet certs init' to make it\n`,
    );
  });
});

Deno.test("assertPinnedRuntime takes the pinned version only", () => {
  assertPinnedRuntime("2.9.3", "2.9.3");
  assert.throws(() => assertPinnedRuntime("2.9.6", "2.9.3"), (error) => {
    assert.ok(error instanceof EngineError);
    assert.match(error.message, /^Cannot start on Deno 2\.9\.6: joblet needs Deno 2\.9\.3 exactly/);
    return true;
  });
});
