import assert from "node:assert/strict";
import { requires } from "../harness/requires.ts";
import { JobState } from "../../proto/gen/joblet/v1/job_pb.ts";
import { connect } from "../harness/client.ts";
import { TestServer } from "../harness/server.ts";

const root = requires("root", "cgroup2");
const MANY = 1000;
const READY_MS = 2000;
const LINES = Array.from({ length: 20 }, (_, index) => `${index + 1}\n`).join("");

Deno.test(
  { ...root, name: "a job outlives kill -9 of the server: its log is whole and its exit code known" },
  async () => {
    await using server = await TestServer.start();
    const id = await server.detach("sh", "-c", "for i in $(seq 20); do echo $i; sleep 0.2; done; exit 3");
    await server.end("SIGKILL");
    await server.launch();
    const followed = await server.cli("logs", "-f", id);
    assert.equal(followed.stdout, LINES);
    assert.equal((await server.cli("wait", id)).code, 3);
  },
);

Deno.test({
  ...root,
  name: "a job that ends while no server runs is known with output and exit code after the restart",
}, async () => {
  await using server = await TestServer.start();
  const id = await server.detach("sh", "-c", "echo before; sleep 1; echo after; exit 4");
  const short = await server.detach("sh", "-c", "sleep 1; kill -11 $$");
  await server.end("SIGKILL");
  await untilNoInit(id, short);
  await server.launch();
  const status = JSON.parse((await server.cli("status", "--json", id)).stdout) as { exit_code: number };
  assert.equal(status.exit_code, 4);
  assert.equal((await server.cli("logs", id)).stdout, "before\nafter\n");
  assert.equal((await server.cli("wait", short)).code, 128 + 11);
});

Deno.test({
  ...root,
  name: "SIGTERM ends the server with code 0 and leaves jobs running; the next server can stop them",
}, async () => {
  await using server = await TestServer.start();
  const id = await server.detach("sleep", "1000");
  assert.equal(await server.end("SIGTERM"), 0);
  await server.launch();
  assert.match((await server.cli("ps")).stdout, /RUNNING/);
  assert.equal((await server.cli("stop", id)).code, 0);
  assert.match((await server.cli("status", id)).stdout, /STOPPED/);
});

Deno.test({
  ...root,
  name: `a server is ready within ${READY_MS / 1000} s of its start with ${MANY} jobs that run on`,
}, async () => {
  await using server = await TestServer.start();
  await using client = await connect(server);
  const ids: string[] = [];
  await Promise.all(Array.from({ length: 16 }, async () => {
    while (ids.length < MANY) {
      const at = ids.push("") - 1;
      ids[at] = (await client.jobs.runJob({ spec: { command: "sleep", args: ["1000"] } })).job?.id ?? "";
    }
  }));
  await server.end("SIGKILL");
  const begin = performance.now();
  await server.launch();
  const ready = performance.now() - begin;
  assert(ready < READY_MS, `it took ${ready} ms`);
  const { jobs } = await client.jobs.listJobs({ states: [JobState.RUNNING], pageSize: 1000 });
  assert.equal(jobs.length, MANY);
  await Promise.all(ids.map((id) => client.jobs.stopJob({ id, signal: "KILL" })));
});

/** Waits until the inits of these jobs have ended, by the pidfds' stand-in that needs no FFI: their /proc folders. */
async function untilNoInit(...ids: string[]): Promise<void> {
  const running = () =>
    [...Deno.readDirSync("/proc")].filter(({ name }) => /^\d+$/.test(name)).some(({ name }) => {
      try {
        const command = Deno.readTextFileSync(`/proc/${name}/cmdline`);
        return command.startsWith("init\0") && ids.some((id) => command.includes(id));
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return false;
        throw error;
      }
    });
  const deadline = performance.now() + 20_000;
  while (running()) {
    assert(performance.now() < deadline, "the jobs end");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
