import assert from "node:assert/strict";
import { requires } from "../harness/requires.ts";
import { TestServer } from "../harness/server.ts";

const root = requires("root", "cgroup2");

Deno.test({ ...root, name: "joblet run passes both streams on, each to its own fd, and the exit code" }, async () => {
  await using server = await TestServer.start();
  const { code, stdout, stderr } = await server.cli("run", "sh", "-c", "echo out; echo err >&2; exit 7");
  assert.deepEqual([stdout, stderr, code], ["out\n", "err\n", 7]);
});

Deno.test({
  ...root,
  name: "joblet run of a program that dies of a signal exits with 128 + signal, and status says which",
}, async () => {
  await using server = await TestServer.start();
  assert.equal((await server.cli("run", "--name", "victim", "sh", "-c", "kill -9 $$")).code, 137);
  const list = JSON.parse((await server.cli("ps", "--json")).stdout) as { id: string; name: string }[];
  const victim = list.find(({ name }) => name === "victim");
  assert(victim);
  assert.match((await server.cli("status", victim.id.slice(0, 8))).stdout, /signal 9/);
});

Deno.test({
  ...root,
  name: "joblet run of a missing program names it and exits with 127, of one not executable with 126",
}, async () => {
  await using server = await TestServer.start();
  const missing = await server.cli("run", "no-such-program");
  assert.equal(missing.code, 127);
  assert.match(missing.stderr, /^joblet: exec "no-such-program": not found in PATH[^\n]*\n$/);
  const denied = await server.cli("run", "/etc/passwd");
  assert.equal(denied.code, 126);
  assert.match(denied.stderr, /permission denied/);
  const folder = await server.cli("run", "--workdir", "/nowhere", "true");
  assert.equal(folder.code, 125);
  assert.match(folder.stderr, /enter \/nowhere: ENOENT/);
});

Deno.test(
  { ...root, name: "joblet run passes arguments exactly, and flags after the command to the command" },
  async () => {
    await using server = await TestServer.start();
    const args = ["", "a b", "$(id)", "-x", "--json", "é\n2", "'\""];
    const { stdout } = await server.cli("run", "printf", "<%s>", ...args);
    assert.equal(stdout, args.map((arg) => `<${arg}>`).join(""));
  },
);

Deno.test(
  { ...root, name: "a job may open /dev/stderr and /dev/stdout by name without losing what was written" },
  async () => {
    await using server = await TestServer.start();
    const script = "echo one >&2; echo two > /dev/stderr; echo three > /dev/stdout";
    const { code, stdout, stderr } = await server.cli("run", "sh", "-c", script);
    assert.deepEqual([code, stdout, stderr], [0, "three\n", "one\ntwo\n"]);
  },
);

Deno.test(
  { ...root, name: "a job sees its own root, processes, environment and three files, and has no privileges" },
  async () => {
    await using server = await TestServer.start();
    const shell = async (script: string) => (await server.cli("run", "sh", "-c", script)).stdout;
    assert.equal(
      await shell("grep -c . /proc/self/mountinfo | head -1; ls /"),
      await shell("grep -c . /proc/self/mountinfo; ls /"),
    );
    assert.doesNotMatch(await shell("ls /"), /root|home|sys|opt|boot/);
    assert.deepEqual((await shell("ls /proc/self/fd")).trim().split("\n"), ["0", "1", "2", "3"]);
    assert.match(await shell("cat /proc/self/cgroup"), /^0::\/$/m);
    assert.doesNotMatch(await shell("cat /proc/self/cgroup"), /joblet|job-/);
    const status = await shell("cat /proc/self/status");
    for (const set of ["Inh", "Prm", "Eff", "Bnd", "Amb"]) assert.match(status, new RegExp(`Cap${set}:\\s*0+$`, "m"));
    assert.match(status, /NoNewPrivs:\s*1/);
    assert.match(await shell("env"), /^JOBLET_JOB_ID=/m);
    assert.doesNotMatch(await shell("env"), /JOBLET_HOME|DENO/);
    assert.match(
      await shell("id -u; touch /x /etc/x 2>&1; touch /work/x /tmp/x && echo ok"),
      /Read-only file system[^]*ok\n$/,
    );
    assert.match(await shell("kill -9 1 2>&1; cat /proc/1/environ 2>&1; echo alive"), /alive/);
    assert.match(await shell("cat /proc/net/dev"), /lo:/);
  },
);

Deno.test({ ...root, name: "joblet run turns Ctrl-C into a stop and still shows what the job says last" }, async () => {
  await using server = await TestServer.start();
  const process = server.spawn(
    "run",
    "sh",
    "-c",
    "trap 'echo bye; exit 5' INT; echo ready; while :; do sleep 0.1; done",
  );
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let sent = false;;) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
    if (!sent && text.includes("ready")) process.kill("SIGINT");
    sent ||= text.includes("ready");
  }
  assert.equal(text, "ready\nbye\n");
  assert.equal((await process.status).code, 5);
  await process.stderr.cancel();
});

Deno.test({ ...root, name: "joblet run --timeout ends the job in time and exits with 124" }, async () => {
  await using server = await TestServer.start();
  const begin = performance.now();
  const { code } = await server.cli("run", "--timeout", "1s", "sleep", "60");
  assert.equal(code, 124);
  const ms = performance.now() - begin;
  assert(ms >= 1000 && ms < 8000, `${ms} ms`);
});

Deno.test({ ...root, name: "a limit whose controller is absent is refused, and nothing runs" }, async () => {
  await using server = await TestServer.start();
  const limits = JSON.parse((await server.cli("doctor", "--json")).stdout) as { name: string; ok: boolean }[];
  const { code, stderr, stdout } = await server.cli("run", "--max-memory", "64", "echo", "ran");
  if (limits.find(({ name }) => name === "limits")?.ok) {
    assert.deepEqual([code, stdout], [0, "ran\n"]);
  } else {
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /controller 'memory' is not available.*cgroup_no_v1=all/);
  }
});
