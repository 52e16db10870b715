/** Jobs that wait: for resources, for their time, for another attempt; through the command line. */
import assert from "node:assert/strict";
import { requires } from "../harness/requires.ts";
import { TestServer } from "../harness/server.ts";

const root = requires("root", "cgroup2");

interface ShownJob {
  readonly id: string;
  readonly status: string;
  readonly waiting_for: string | null;
  readonly attempt: number;
  readonly scheduled_by: string | null;
}

async function show(server: TestServer, id: string): Promise<ShownJob> {
  return JSON.parse((await server.cli("status", "--json", id)).stdout);
}

Deno.test(
  { ...root, name: "of two jobs where one fits, the second waits, says why, and runs when the first ends" },
  async () => {
    await using server = await TestServer.start({ config: "joblet: { maxConcurrentJobs: 1 }" });
    const first = await server.detach("sleep", "1000");
    const second = await server.detach("echo", "done");
    const waiting = await show(server, second);
    assert.deepEqual([waiting.status, waiting.waiting_for], ["PENDING", "a free place: 1 jobs run, as many as may"]);
    const follower = server.spawn("logs", "-f", second);
    assert.equal((await server.cli("stop", first)).code, 0);
    assert.equal(new TextDecoder().decode((await follower.output()).stdout), "done\n");
    assert.equal((await server.cli("wait", second)).code, 0);
  },
);

Deno.test({ ...root, name: "joblet run of a job that has to wait says so, and ends as the job does" }, async () => {
  await using server = await TestServer.start({ config: "joblet: { maxConcurrentJobs: 1 }" });
  const first = await server.detach("sleep", "1");
  const { code, stdout, stderr } = await server.cli("run", "sh", "-c", "echo out; exit 6");
  assert.deepEqual([code, stdout], [6, "out\n"]);
  assert.match(stderr, /waiting: a free place/);
  assert.equal((await server.cli("wait", first)).code, 0);
});

Deno.test(
  { ...root, name: "queued and scheduled jobs survive kill -9 of the server and run in their turn" },
  async () => {
    await using server = await TestServer.start({ config: "joblet: { maxConcurrentJobs: 1 }" });
    const running = await server.detach("sleep", "1000");
    const queued = [await server.detach("echo", "a"), await server.detach("echo", "b")];
    const scheduled = (await server.cli("run", "--schedule", "1s", "echo", "later")).stdout.split(" ")[0]!;
    await server.end("SIGKILL");
    await server.launch();
    assert.equal((await show(server, queued[1]!)).status, "PENDING");
    await server.cli("stop", running);
    assert.equal((await server.cli("wait", ...queued, scheduled)).code, 0);
    assert.equal((await server.cli("logs", scheduled)).stdout, "later\n");
  },
);

Deno.test({ ...root, name: "joblet cancel calls off a job that waits, and refuses one that runs" }, async () => {
  await using server = await TestServer.start({ config: "joblet: { maxConcurrentJobs: 1 }" });
  const running = await server.detach("sleep", "1000");
  const waiting = await server.detach("echo", "never");
  const scheduled = (await server.cli("run", "--schedule", "1h", "echo", "never")).stdout.split(" ")[0]!;
  for (const id of [waiting, scheduled]) {
    assert.match((await server.cli("cancel", id)).stdout, /CANCELED/);
    assert.equal((await server.cli("wait", id)).code, 125);
  }
  const refused = await server.cli("job", "cancel", running);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /it is running; stop it/);
});

Deno.test({
  ...root,
  name: "a job that fails is tried again and its log shows every attempt, of which one can be asked for",
}, async () => {
  await using server = await TestServer.start();
  const script = 'echo "try of $JOBLET_JOB_ID" | cut -c1-6; exit 4';
  const { code, stdout } = await server.cli("run", "--retries", "2", "--retry-delay", "100ms", "sh", "-c", script);
  assert.deepEqual([code, stdout], [4, "try of\n".repeat(3)]);
  const [job] = JSON.parse((await server.cli("ps", "--json")).stdout) as ShownJob[];
  assert.equal(job?.attempt, 3);
  assert.equal((await server.cli("logs", "--attempt", "2", job!.id)).stdout, "try of\n");
  assert.equal((await server.cli("logs", "--attempt", "4", job!.id)).code, 1);
});

Deno.test({ ...root, name: "a recurring job starts runs of its own until it is canceled" }, async () => {
  await using server = await TestServer.start();
  const words = ["run", "--schedule", "* * * * * *", "--label", "kind=tick", "echo", "tick"];
  const parent = (await server.cli(...words)).stdout.split(" ")[0]!;
  const runs = async () =>
    (JSON.parse(
      (await server.cli("ps", "--json", "--label", "kind=tick", "--state", "completed")).stdout,
    ) as ShownJob[])
      .filter(({ scheduled_by }) => scheduled_by === parent);
  while ((await runs()).length < 2) await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal((await server.cli("cancel", parent)).code, 0);
  const deleted = await server.cli("prune", "--label", "kind=tick");
  assert.match(deleted.stdout, /deleted \d+, skipped 0/);
});

Deno.test(
  { ...root, name: "joblet server --drain ends when its jobs have, and takes no new ones meanwhile" },
  async () => {
    await using server = await TestServer.start({ args: ["--drain"] });
    const id = await server.detach("sh", "-c", "sleep 2; exit 5");
    const ended = server.end("SIGTERM");
    const refused = await server.cli("run", "true");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /takes no new ones/);
    assert.equal(await ended, 0);
    await server.launch();
    assert.equal((await server.cli("wait", id)).code, 5);
  },
);

Deno.test(
  { ...root, name: "a job's output is kept up to its bound: the oldest goes, and what is missing is told" },
  async () => {
    await using server = await TestServer.start({ config: "logs: { maxBytesPerRun: 1M }" });
    const { code } = await server.cli("run", "seq", "1000000");
    assert.equal(code, 0);
    const [job] = JSON.parse((await server.cli("ps", "--json")).stdout) as ShownJob[];
    const { stdout, stderr } = await server.cli("logs", job!.id);
    assert(stdout.endsWith("\n999999\n1000000\n"));
    const missing = Number(/(\d+) bytes of stdout are missing here/.exec(stderr)?.[1]);
    assert.equal(missing + stdout.length, 6_888_896);
  },
);

Deno.test(
  { ...root, name: "ended jobs beyond the number to be kept are removed with their output, the oldest first" },
  async () => {
    await using server = await TestServer.start({ config: "retention: { maxJobs: 3 }" });
    const ids: string[] = [];
    for (let number = 0; number < 6; number++) {
      ids.push(await server.detach("echo", String(number)));
      await server.cli("wait", ids.at(-1)!);
    }
    // The next server looks at once.
    await server.end();
    await server.launch();
    const left = () => [...Deno.readDirSync(`${server.home}/logs`)].filter(({ isFile }) => isFile).length;
    while (left() > 3) await new Promise((resolve) => setTimeout(resolve, 50));
    const jobs = JSON.parse((await server.cli("ps", "--json")).stdout) as ShownJob[];
    assert.deepEqual(jobs.map(({ id }) => id), ids.slice(3).toReversed());
  },
);
