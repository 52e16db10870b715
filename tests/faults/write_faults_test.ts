/** A fault at each point where the server writes: it dies there, or the disk is full. Nothing that was accepted suffers. */
import assert from "node:assert/strict";
import { ConnectError } from "@connectrpc/connect";
import { JobState } from "../../proto/gen/joblet/v1/job_pb.ts";
import { connect, type TestClient } from "../harness/client.ts";
import { hostState } from "../harness/leftovers.ts";
import { requires } from "../harness/requires.ts";
import { TestServer } from "../harness/server.ts";
import { Load, readLog } from "./load.ts";

const FAULTY = new URL("./faulty_main.ts", import.meta.url).pathname;
const JOBS = 12;
const SPAN_MS = 300;
const DEATHS = ["kill-before", "kill-during", "kill-after"];
const CONFIG = "joblet: { maxConcurrentJobs: 4 }\nlogs: { compressMinBytes: 256 }";

/** Which call of each method, and what makes the server come to it besides jobs that run. */
const POINTS: readonly { readonly point: string; readonly call: number; readonly modes: readonly string[] }[] = [
  { point: "setNote", call: 1, modes: DEATHS },
  { point: "insert", call: 1, modes: DEATHS },
  { point: "insert", call: 7, modes: [...DEATHS, "full"] },
  { point: "replace", call: 1, modes: [...DEATHS, "full"] },
  { point: "replace", call: 5, modes: [...DEATHS, "full"] },
  { point: "replace", call: 12, modes: [...DEATHS, "full"] },
  { point: "create", call: 1, modes: ["kill-before", "kill-after", "full"] },
  { point: "create", call: 6, modes: ["kill-before", "kill-after", "full"] },
  { point: "seal", call: 2, modes: ["full"] },
];

async function makeFaulty(fault: string): Promise<TestServer> {
  return await TestServer.start({
    config: CONFIG,
    command: [Deno.execPath(), "run", "-A", "--quiet", FAULTY],
    env: { JOBLET_FAULT: fault },
    launch: false,
  });
}

/** Loads the server until it dies, and goes on with a sound one. */
async function loadUntilDeath(server: TestServer, load: (client: TestClient) => Promise<void>): Promise<void> {
  const listening = server.begin();
  const died = server.ended();
  const alive = await Promise.race([listening.then(() => true, () => false), died.then(() => false)]);
  if (alive) {
    await using client = await connect(server);
    await load(client).catch((error: unknown) => assert(error instanceof ConnectError, String(error)));
    assert.equal(await died, 128 + 9, "the fault was reached");
  } else {
    assert.equal(await died, 128 + 9);
  }
  server.serverCommand = undefined;
  server.serverEnv = {};
  await server.launch();
}

/** Side by side, as a case is mostly waiting for servers to start; each has a server and a home folder of its own. */
async function tryEach(t: Deno.TestContext, modes: readonly string[], fn: (mode: string) => Promise<void>) {
  const apart = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
  const passed = await Promise.all(modes.map((mode) => t.step({ name: mode, fn: () => fn(mode), ...apart })));
  assert(passed.every(Boolean));
}

for (const { point, call, modes } of POINTS) {
  Deno.test({
    ...requires("root", "cgroup2"),
    name: `a fault at call ${call} of ${point} loses no job, byte or exit code, and runs none twice`,
    fn: (t) =>
      tryEach(t, modes, async (mode) => {
        await using server = await makeFaulty(`${point}:${call}:${mode}`);
        await using load = new Load(SPAN_MS);
        if (mode === "full") await server.launch();
        else await loadUntilDeath(server, (client) => load.topUp(client, JOBS));
        await using client = await connect(server);
        for (let round = 0; round < 20 && load.accepted.size < JOBS; round++) await load.topUp(client, JOBS);
        await load.check(client);
        assert(load.accepted.size >= JOBS);
        const { cgroups, processes } = await hostState(server.home);
        assert.deepEqual([cgroups, processes], [[], []]);
      }),
  });
}

Deno.test({
  ...requires("root", "cgroup2"),
  name: "a fault when a run of a recurring job is due neither loses nor repeats a run",
  fn: (t) =>
    tryEach(t, [...DEATHS, "full"], async (mode) => {
      await using server = await makeFaulty(`write:1:${mode}`);
      let parent = "";
      const submit = async (client: TestClient) => {
        const spec = { command: "true", schedule: { when: "* * * * * *" } };
        parent = (await client.jobs.runJob({ spec, idempotencyKey: "recurring" })).job?.id ?? "";
      };
      if (mode === "full") {
        await server.launch();
        await using client = await connect(server);
        await submit(client);
      } else await loadUntilDeath(server, submit);
      await using client = await connect(server);
      // A run that is due at once kills the server before it has answered: the key finds the job, if it was accepted.
      if (parent === "") await submit(client);
      const runs = () => client.jobs.listJobs({ scheduledBy: parent, pageSize: 1000 });
      while ((await runs()).jobs.length < 3) await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal((await client.jobs.cancelJob({ id: parent })).job?.state, JobState.CANCELED);
      const seconds = (await runs()).jobs.map(({ createdAt }) => createdAt?.seconds);
      assert.equal(new Set(seconds).size, seconds.length, "no second has two runs");
    }),
});

for (const point of ["seal", "noteLogBytes"]) {
  Deno.test({
    ...requires("root", "cgroup2"),
    name: `a fault at ${point} while output is compressed leaves it whole`,
    fn: (t) =>
      tryEach(t, DEATHS, async (mode) => {
        await using server = await makeFaulty(`${point}:1:${mode}`);
        let id = "";
        await loadUntilDeath(server, async (client) => {
          const { job } = await client.jobs.runJob({ spec: { command: "seq", args: ["200000"] } });
          id = job?.id ?? "";
          for await (const _ of client.jobs.watchJob({ id }));
        });
        await using client = await connect(server);
        const { out } = await readLog(client, id);
        assert.equal(out.length, 1_288_895);
        assert(out.endsWith("\n199999\n200000\n"));
      }),
  });
}

for (const point of ["delete", "remove"]) {
  Deno.test({
    ...requires("root", "cgroup2"),
    name: `a fault at ${point} while jobs are deleted leaves no output without its job`,
    fn: (t) =>
      tryEach(t, DEATHS, async (mode) => {
        await using server = await makeFaulty(`${point}:1:${mode}`);
        await loadUntilDeath(server, async (client) => {
          for (let number = 0; number < 5; number++) {
            const { job } = await client.jobs.runJob({ spec: { command: "echo", args: ["x"] } });
            for await (const _ of client.jobs.watchJob({ id: job?.id ?? "" }));
          }
          await client.jobs.deleteJobs({});
        });
        await using client = await connect(server);
        const { jobs } = await client.jobs.listJobs({});
        for (const { id } of jobs) for await (const _ of client.jobs.streamLogs({ id }));
        await client.jobs.deleteJobs({});
        await untilNoLogs(`${server.home}/logs`);
      }),
  });
}

/** What a dead server left behind is removed soon after the start of the next. */
async function untilNoLogs(folder: string): Promise<void> {
  const files = () => [...Deno.readDirSync(folder)].filter(({ isFile }) => isFile);
  for (const deadline = performance.now() + 5000; files().length > 0;) {
    assert(performance.now() < deadline, `left: ${files().map(({ name }) => name)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
