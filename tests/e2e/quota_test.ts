/** What one user may have of a server, by its configuration. */
import assert from "node:assert/strict";
import { requires } from "../harness/requires.ts";
import { TestServer } from "../harness/server.ts";

const CONFIG = `limits:
  user: { maxDisk: 100M, maxQueued: 2 }
  users: { bob: { total: { maxDisk: 200M, maxQueued: 0 } } }`;

Deno.test({
  ...requires("root", "cgroup2"),
  name:
    "a user's jobs share disk and places in the queue: what can't fit is refused, what fits later waits and says for what",
}, async () => {
  await using server = await TestServer.start({ config: CONFIG });
  const bob = await server.newClient("bob", "user");
  const refused = async (...args: string[]) => {
    const { code, stderr } = await server.cli("run", "-d", ...args);
    assert.equal(code, 1);
    return stderr;
  };
  assert.equal(
    await refused("true"),
    "joblet: Cannot run a job with 1 GiB of disk, as jobs have: all jobs of 'admin' together get 100 MiB " +
      "(limits.user.maxDisk); ask for less with --max-disk\n",
  );
  assert.match(
    await refused(...bob, "--max-disk", "201M", "true"),
    /get 200 MiB \(limits\.users\.bob\.total\.maxDisk\)/,
  );

  const first = await server.detach("--max-disk", "80M", "sleep", "600");
  const waiting = await server.detach("--max-disk", "30M", "echo", "hello");
  const { stdout } = await server.cli("status", waiting);
  assert.match(stdout, /disk of its user: it wants 30 MiB, 20 MiB of 100 MiB are free for the jobs of 'admin'/);
  // Nobody else waits for that.
  assert.equal((await server.cli("run", ...bob, "--max-disk", "150M", "true")).code, 0);
  assert.equal((await server.cli("run", "--max-disk", "1M", "--schedule", "1h", "true")).code, 0);
  const most = "joblet: Cannot queue another job of 'admin': 2 wait already, as many as may; try again later\n";
  assert.equal(await refused("--max-disk", "1M", "true"), most);
  assert.equal(await refused("--max-disk", "1M", "--schedule", "1h", "true"), most);
  assert.match(await refused(...bob, "--max-disk", "1M", "--schedule", "1h", "true"), /of 'bob': 0 wait already/);

  assert.equal((await server.cli("stop", "--signal", "KILL", first)).code, 0);
  assert.equal((await server.cli("wait", waiting)).code, 0);
});
