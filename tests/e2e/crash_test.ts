/** Deno 2.9.4 to 2.9.6 crash as http2 servers when a loading client is killed: this is what the version pin stands on. */
import assert from "node:assert/strict";
import { requires } from "../harness/requires.ts";
import { TestServer } from "../harness/server.ts";

const KILLS = 8;
const LOADER = new URL("../harness/load_main.ts", import.meta.url).pathname;

Deno.test({
  ...requires("root", "cgroup2"),
  name: `the server survives ${KILLS} of ${KILLS} SIGKILLs of a client with many connections and streams`,
  async fn() {
    await using server = await TestServer.start();
    const pid = server.pid;
    const id = await server.detach("sh", "-c", "while :; do head -c 2000 /dev/zero; sleep 0.01; done");
    for (let kill = 0; kill < KILLS; kill++) {
      const loader = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", LOADER, server.home, String(server.port), id],
        stdout: "piped",
        stderr: "null",
      }).spawn();
      // It says so when every connection has its streams and calls under way.
      const reader = loader.stdout.getReader();
      const { value } = await reader.read();
      assert.equal(new TextDecoder().decode(value).trim(), "loading");
      loader.kill("SIGKILL");
      await loader.status;
      await reader.cancel();
      const { code, stderr } = await server.cli("run", "true");
      assert.deepEqual([code, stderr], [0, ""], `after kill ${kill + 1}`);
    }
    assert.equal(server.pid, pid);
    assert.equal((await server.cli("stop", "--signal", "KILL", id)).code, 0);
  },
});
