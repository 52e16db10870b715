import assert from "node:assert/strict";
import { requires } from "../harness/requires.ts";
import { jobletCommand, TestServer } from "../harness/server.ts";

const root = requires("root", "cgroup2");
const RUNS_OF_SEQ = 100;
const STALL_MS = 10_000;

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

Deno.test({
  ...root,
  name: "three followers get 50 MB of random bytes identically, one of them stopped for ten seconds",
  async fn() {
    await using server = await TestServer.start();
    const begin = performance.now();
    const id = await server.detach("sh", "-c", "head -c 50M /dev/urandom | tee /work/copy; sha256sum < /work/copy >&2");
    const followers = [1, 2, 3].map(() => server.spawn("logs", "-f", id));
    const stopped = followers[0]!;
    stopped.kill("SIGSTOP");
    const resumed = new Promise<void>((resolve) =>
      setTimeout(() => {
        stopped.kill("SIGCONT");
        resolve();
      }, STALL_MS)
    );
    const [slow, ...fast] = followers.map((follower) => follower.output());
    const outputs = await Promise.all(fast);
    assert(performance.now() - begin < STALL_MS, "a stopped follower does not hold up the job or the others");
    await resumed;
    outputs.push(await slow!);
    for (const { code, stdout, stderr } of outputs) {
      assert.equal(code, 0);
      assert.equal(stdout.length, 50 << 20);
      assert.equal(await sha256(stdout), new TextDecoder().decode(stderr).slice(0, 64));
    }
  },
});

Deno.test({
  ...root,
  name: `the tail of seq 1000000 is never lost in ${RUNS_OF_SEQ} runs`,
  async fn() {
    await using server = await TestServer.start();
    let begun = 0;
    const runAll = async () => {
      while (begun < RUNS_OF_SEQ) await runOne(++begun);
    };
    const runOne = async (run: number) => {
      const { stdout, code } = await server.cli("run", "seq", "1000000");
      assert.equal(code, 0);
      assert.equal(stdout.length, 6_888_896, `run ${run}`);
      assert(stdout.endsWith("\n999999\n1000000\n"), `run ${run}`);
    };
    await Promise.all([runAll(), runAll()]);
  },
});

Deno.test({
  ...root,
  name: "joblet logs shows one stream when asked, all of it after the end, and ends quietly in head",
}, async () => {
  await using server = await TestServer.start();
  const id = await server.detach("sh", "-c", "for i in $(seq 2000); do echo out$i; echo err$i >&2; done");
  await server.cli("wait", id);
  const err = await server.cli("logs", "--stream", "stderr", id);
  assert.deepEqual([err.stdout, err.stderr.split("\n").length], ["", 2001]);
  const head = new Deno.Command("sh", {
    args: ["-c", '"$@" | head -1', "sh", ...jobletCommand(), "logs", "--stream", "stdout", id],
    env: server.env,
    clearEnv: true,
  });
  const { stdout, stderr } = await head.output();
  assert.equal(new TextDecoder().decode(stdout), "out1\n");
  assert.equal(new TextDecoder().decode(stderr), "");
});

Deno.test({ ...root, name: "joblet run shows a piece of a line at once" }, async () => {
  await using server = await TestServer.start();
  const process = server.spawn("run", "sh", "-c", "printf a; sleep 5; printf b");
  const reader = process.stdout.getReader();
  const first = await reader.read();
  const begin = performance.now();
  assert.deepEqual(first.value, new TextEncoder().encode("a"));
  const second = await reader.read();
  assert.deepEqual(second.value, new TextEncoder().encode("b"));
  assert(performance.now() - begin > 3000, "the first piece came before the second was written");
  await reader.cancel();
  await process.stderr.cancel();
  await process.status;
});

Deno.test({
  ...root,
  name: "joblet logs shows the last lines, those that match, those of a time, and when each was printed",
}, async () => {
  await using server = await TestServer.start();
  const id = await server.detach("sh", "-c", "seq 1000; sleep 1.5; echo late; echo oops >&2");
  await server.cli("wait", id);
  const out = async (...flags: string[]) => (await server.cli("logs", ...flags, id)).stdout;
  assert.equal(await out("--tail", "3", "--stream", "stdout"), "999\n1000\nlate\n");
  assert.equal(await out("--grep", "^9.9$"), "909\n919\n929\n939\n949\n959\n969\n979\n989\n999\n");
  const stamped = (await out("--timestamps", "--stream", "stdout")).trim().split("\n");
  assert.equal(stamped.length, 1001);
  const times = stamped.map((line) => Date.parse(line.split(" ")[0]!));
  assert(times.every((time, index) => index === 0 || time >= times[index - 1]!));
  const between = new Date(times[0]! + 1000).toISOString();
  assert.equal(await out("--since", between), "late\n");
  assert.equal((await out("--until", between)).split("\n").at(-2), "1000");
  assert.equal((await server.cli("logs", "--grep", "(", id)).code, 2);
  const shown = (await out("--json", "--tail", "1", "--stream", "stderr")).trim();
  assert.deepEqual([JSON.parse(shown).log, JSON.parse(shown).stream], ["oops\n", "stderr"]);
});
