/** State and output lie on small disks of their own, in a mount namespace of the server, and those fill up. */
import assert from "node:assert/strict";
import { Code, ConnectError } from "@connectrpc/connect";
import { JobState, LogStream } from "../../proto/gen/joblet/v1/job_pb.ts";
import { connect, type TestClient, untilOutput } from "../harness/client.ts";
import { processesWith } from "../harness/leftovers.ts";
import { requires } from "../harness/requires.ts";
import { inside, startOnSmallDisks } from "./small_disks.ts";

const RECOVERY_MS = 5000;
const root = requires("root", "cgroup2", "nsenter");

async function codeOf(call: Promise<unknown>): Promise<Code | undefined> {
  return await call.then(() => undefined, (error) => ConnectError.from(error).code);
}

async function run(client: TestClient, script: string): Promise<string> {
  const { job } = await client.jobs.runJob({ spec: { command: "sh", args: ["-c", script] } });
  return job?.id ?? "";
}

/** Looks again and again, at most until the deadline. @returns after how long it was so */
async function within(ms: number, what: string, look: () => Promise<boolean>): Promise<number> {
  for (const begin = performance.now();;) {
    if (await look()) return performance.now() - begin;
    assert(performance.now() - begin < ms, what);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function lastTick(client: TestClient, id: string): Promise<number> {
  let text = "";
  for await (const { frames } of client.jobs.streamLogs({ id, tailLines: 2, streams: [LogStream.STDOUT] })) {
    for (const { data } of frames) text += new TextDecoder().decode(data);
  }
  return Number(text.trim().split("\n").at(-1));
}

for (const folder of ["state", "logs"]) {
  Deno.test({
    ...root,
    name: `a full disk under ${folder}: new jobs are refused, running ones go on and can be stopped, and within ` +
      `${RECOVERY_MS / 1000} s of free space all is well`,
    async fn() {
      await using server = await startOnSmallDisks(["state", "logs"], "24m");
      await using client = await connect(server);
      const marker = `2718${server.port}`;
      const ticking = await run(client, "i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done");
      const ending = await run(client, "sleep 2; echo over; exit 5");
      const victim = await run(client, `echo up; exec sleep ${marker}`);
      await untilOutput(client, victim);
      const full = await inside(server, `dd if=/dev/zero of="${server.home}/${folder}/fill" bs=4k 2>&1`);
      assert.match(full, /No space left/);
      const before = await lastTick(client, ticking);

      assert.equal(await codeOf(run(client, "true")), Code.ResourceExhausted);
      const stopping = client.jobs.stopJob({ id: victim });
      await within(
        3000,
        "a job ends by a stop, though that can't be stored",
        () => Promise.resolve(processesWith(`sleep ${marker}`).length === 0),
      );
      // The other one ends meanwhile, and there is no room for that either.
      await new Promise((resolve) => setTimeout(resolve, 2500));
      assert.equal((await client.jobs.getJob({ id: ticking })).job?.state, JobState.RUNNING);
      assert.equal(await codeOf(run(client, "true")), Code.ResourceExhausted);

      await inside(server, `rm "${server.home}/${folder}/fill"`);
      const begin = performance.now();
      await within(RECOVERY_MS, "jobs start again", async () => await codeOf(run(client, "true")) === undefined);
      const ended = await within(RECOVERY_MS, "the end that had no room is stored", async () => {
        const { job } = await client.jobs.getJob({ id: ending });
        return job?.state === JobState.FAILED && job.exitCode === 5;
      });
      assert(ended < RECOVERY_MS);
      assert.equal((await stopping).job?.state, JobState.STOPPED);
      assert(performance.now() - begin < RECOVERY_MS);
      await within(
        RECOVERY_MS,
        "the job that ran on is heard again",
        async () => await lastTick(client, ticking) > before,
      );
    },
  });
}

Deno.test({
  ...root,
  name: "output that had no room is told as a gap, with how much is missing, and what follows is whole",
}, async () => {
  await using server = await startOnSmallDisks(["state", "logs"], "24m");
  await using client = await connect(server);
  const id = await run(client, "seq 100000; echo begun >&2; sleep 2; seq 100000; sleep 2; echo end");
  await within(5000, "the first part is printed", async () => await lastTick(client, id) >= 100_000);
  await inside(server, `dd if=/dev/zero of="${server.home}/logs/fill" bs=4k`);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  await inside(server, `rm "${server.home}/logs/fill"`);
  let [bytes, missing, text] = [0, 0, ""];
  for await (const { frames } of client.jobs.streamLogs({ id, follow: true })) {
    for (const { data, missingBytes } of frames) {
      bytes += data.length;
      missing += Number(missingBytes);
      text = (text + new TextDecoder().decode(data)).slice(-10);
    }
  }
  assert(missing > 0, "some of the second part is missing");
  assert.equal(bytes + missing, 2 * 588_895 + "begun\nend\n".length);
  assert(text.endsWith("end\n"), text);
  assert.equal((await client.jobs.getJob({ id })).job?.exitCode, 0);
});

Deno.test({ ...root, name: "a job that fills its own folder gets ENOSPC, and nobody else does" }, async () => {
  await using server = await startOnSmallDisks(["state", "logs"], "24m");
  await using client = await connect(server);
  const id = await run(client, "dd if=/dev/zero of=/work/x bs=1M 2>&1; exit 3");
  let text = "";
  for await (const { frames } of client.jobs.streamLogs({ id, follow: true })) {
    for (const { data } of frames) text += new TextDecoder().decode(data);
  }
  assert.match(text, /No space left on device/);
  assert.equal(await codeOf(run(client, "true")), undefined);
});

Deno.test({
  ...root,
  name: "on a disk that became read-only a job fails and says so, and all is well when it is writable",
}, async () => {
  await using server = await startOnSmallDisks(["state", "logs"], "24m");
  await using client = await connect(server);
  const remount = (how: string) => inside(server, `mount -o remount,bind,${how} "${server.home}/logs"`);
  assert.equal(await remount("ro"), "");
  const { job } = await client.jobs.runJob({ spec: { command: "true" } });
  assert.equal(job?.state, JobState.FAILED);
  assert.equal(job.startFailure?.message, "create the journal: EROFS");
  assert.equal(await remount("rw"), "");
  assert.equal((await client.jobs.runJob({ spec: { command: "true" } })).job?.startFailure, undefined);
});
