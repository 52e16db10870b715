import assert from "node:assert/strict";
import { hostState, processesWith } from "../harness/leftovers.ts";
import { requires } from "../harness/requires.ts";
import { TestServer } from "../harness/server.ts";
import { connect, untilOutput } from "../harness/client.ts";
import { JobState } from "../../proto/gen/joblet/v1/job_pb.ts";

const root = requires("root", "cgroup2");
const SHORT_JOBS = 2000;
const IN_FLIGHT = 16;

Deno.test(
  { ...root, name: "joblet stop ends a job that forks, setsids and ignores SIGTERM, with all its children" },
  async () => {
    await using server = await TestServer.start();
    const marker = `3141${server.port}`;
    const script =
      `trap "" TERM; setsid sleep ${marker} & (nohup sleep ${marker} &) ; echo ready; while :; do sleep ${marker}; done`;
    const id = await server.detach("sh", "-c", script);
    await using client = await connect(server);
    await untilOutput(client, id);
    const sleepers = () => processesWith(`sleep ${marker}`);
    assert(sleepers().length >= 3);
    const begin = performance.now();
    const { code, stdout } = await server.cli("stop", "--grace", "1s", id);
    assert.equal(code, 0, stdout);
    assert(performance.now() - begin < 4000);
    assert.deepEqual(sleepers(), []);
    assert.match((await server.cli("status", id)).stdout, /STOPPED[^]*signal 9/);
  },
);

Deno.test({
  ...root,
  name: "joblet stop of a program that handles SIGTERM keeps its exit code, and a second stop changes nothing",
}, async () => {
  await using server = await TestServer.start();
  await using client = await connect(server);
  const script = "trap 'exit 3' TERM; echo ready; while :; do sleep 0.1; done";
  const { job } = await client.jobs.runJob({ spec: { command: "sh", args: ["-c", script] } });
  const id = job?.id ?? "";
  await untilOutput(client, id);
  const [first, second] = await Promise.all([client.jobs.stopJob({ id }), client.jobs.stopJob({ id })]);
  assert.deepEqual([first.job?.state, first.job?.exitCode], [JobState.STOPPED, 3]);
  assert.deepEqual(second.job, first.job);
  assert.deepEqual((await client.jobs.stopJob({ id })).job, first.job);
});

Deno.test({ ...root, name: "a stop right after the start is never lost" }, async () => {
  await using server = await TestServer.start();
  await using client = await connect(server);
  for (let run = 0; run < 100; run++) {
    const { job } = await client.jobs.runJob({ spec: { command: "sleep", args: ["60"] } });
    const begin = performance.now();
    const stopped = await client.jobs.stopJob({ id: job?.id ?? "" });
    assert.equal(stopped.job?.state, JobState.STOPPED);
    assert(performance.now() - begin < 1000, `run ${run}`);
  }
});

Deno.test({
  ...root,
  name: `${SHORT_JOBS} short jobs leave no process, cgroup, mount, namespace, fd or temporary file`,
  async fn() {
    await using server = await TestServer.start();
    await using client = await connect(server);
    const fds = () => [...Deno.readDirSync(`/proc/${server.pid}/fd`)].length;
    const runOne = async (index: number) => {
      const command = index % 10 === 0 ? "no-such-program" : "sh";
      const { job } = await client.jobs.runJob({
        spec: { command, args: ["-c", "sleep 100 & echo x > /work/f; exit 0"] },
      });
      const id = job?.id ?? "";
      for await (const _ of client.jobs.streamLogs({ id, follow: true }));
      await client.jobs.deleteJob({ id });
    };
    for (let index = 0; index < IN_FLIGHT; index++) await runOne(index);
    const before = { host: await hostState(server.home), fds: fds() };
    let next = 0;
    await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
      while (next < SHORT_JOBS) await runOne(next++);
    }));
    assert.deepEqual(await hostState(server.home), before.host);
    assert(Math.abs(fds() - before.fds) <= IN_FLIGHT, `fds: ${before.fds} before, ${fds()} after`);
    assert.deepEqual(await filesBelow(`${server.home}/logs`), []);
  },
});

async function filesBelow(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isFile) files.push(entry.name);
    else files.push(...await filesBelow(`${folder}/${entry.name}`));
  }
  return files;
}
