/** What people know from elsewhere, typed as they know it: the sample sessions, ids and times aside, and their pipes. */
import assert from "node:assert/strict";
import { requires } from "../harness/requires.ts";
import { freePort } from "../harness/free_port.ts";
import { jobletCommand, TestServer } from "../harness/server.ts";

const root = requires("root", "cgroup2");
const UUID = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

/** Runs a command line that must succeed and say nothing on stderr. @returns what it printed */
async function say(server: TestServer, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await server.cli(...words);
  assert.deepEqual([code, stderr], [0, ""], words.join(" "));
  return stdout;
}

// The limits of the sample need controllers that not every host has: tests/guest/limits/faces.ts runs it with them.
Deno.test(
  { ...root, name: "the sample session of jobworker, without its limits, prints what the sample shows" },
  async () => {
    await using server = await TestServer.start();
    const started = await say(server, "jobworker", "start", "echo 'Life is Great'");
    const id = new RegExp(`^Job started\\. ID: (${UUID})\\n$`).exec(started)?.[1];
    assert(id, started);
    assert.equal(await say(server, "jobworker", "stream", id), "Life is Great\n");
    assert.match(
      await say(server, "jobworker", "status", id),
      /^Status: COMPLETED\nCPU Usage: \d+ uS\nMemory Usage: .+\nI\/O Read: .+\nI\/O Write: .+\nExit Code: 0\nReason: EXITED\n$/,
    );
    const sleeper = (await say(server, "jobworker", "start", "sleep 60")).trim().split(" ").at(-1)!;
    assert.match(
      await say(server, "jobworker", "status", sleeper),
      /^Status: RUNNING\nCPU Usage: \d+ uS\nMemory Usage: /,
    );
    assert.equal(await say(server, "jobworker", "stop", sleeper), `Status: STOPPED\nJob ID: ${sleeper}\n`);
    const list = await say(server, "jobworker", "list");
    assert.match(
      list,
      new RegExp(`^JOB ID .*\\n${sleeper}  admin  STOPPED .*\\n${id}  admin  COMPLETED .*Life is Great'\\n$`),
    );
  },
);

Deno.test({ ...root, name: "the sample session of jobc prints what the sample shows, as valid JSON" }, async () => {
  await using server = await TestServer.start();
  const started = await say(server, "jobc", "start", "sleep", "60");
  assert.match(started, new RegExp(`^${UUID}\\n$`));
  const id = started.trim();
  assert.equal(await say(server, "jobc", "status", id), "running\n");
  assert.equal(await say(server, "jobc", "stop", id), "");
  assert.equal(await say(server, "jobc", "status", id), "stopped (signal: 9)\n");
  assert.equal(await say(server, "jobc", "logs", id), "");

  const script = "echo log message here; echo another log message >&2";
  const talker = (await say(server, "jobc", "start", "sh", "-c", script)).trim();
  const lines = (await say(server, "jobc", "logs", talker)).trim().split("\n");
  const shown = lines.map((line) => JSON.parse(line) as Record<string, string>);
  assert.deepEqual(shown.map((line) => Object.keys(line)), [["log", "stream", "time"], ["log", "stream", "time"]]);
  assert.deepEqual(shown.map(({ log, stream }) => [log, stream]).sort(), [
    ["another log message", "stderr"],
    ["log message here", "stdout"],
  ]);
  for (const { time } of shown) assert.match(time!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
  assert.equal(await say(server, "jobc", "logs", talker), `${lines.join("\n")}\n`, "a second reader gets the same");
  assert.equal(await say(server, "jobc", "status", talker), "finished (exit code: 0)\n");

  const failing = (await say(server, "jobc", "start", "sh", "-c", "exit 7")).trim();
  await say(server, "jobc", "logs", failing);
  assert.equal(await say(server, "jobc", "status", failing), "finished (exit code: 7)\n");
  const listed = (await say(server, "jobc", "start", "ls", "-la", "/")).trim();
  assert.match(await say(server, "jobc", "logs", "--raw", listed), /^total \d+\nd/);

  const missing = await server.cli("jobc", "start", "no-such-program");
  assert.deepEqual([missing.code, missing.stdout], [1, ""]);
  const failed = new RegExp(`^jobc: Cannot start job (${UUID}): (exec "no-such-program": .*)\\n$`).exec(missing.stderr);
  assert(failed, missing.stderr);
  assert.equal(await say(server, "jobc", "status", failed[1]!), `failed (${failed[2]})\n`);
});

Deno.test({ ...root, name: "rnx runs, lists, shows, logs, stops and deletes a job as its guides tell" }, async () => {
  await using server = await TestServer.start();
  const started = await say(server, "rnx", "job", "run", "echo", "Hello, Joblet!");
  const id = new RegExp(
    `^Job started:\\nID: (${UUID})\\nCommand: echo 'Hello, Joblet!'\\nStatus: RUNNING\\nStartTime: \\d.*\\n$`,
  ).exec(started)?.[1];
  assert(id, started);
  assert.equal(await say(server, "rnx", "job", "log", id.slice(0, 8)), "Hello, Joblet!\n");
  assert.match(await say(server, "rnx", "job", "status", id), /\nStatus: COMPLETED\n[^]*\nResult:\n {2}Exit Code: 0\n/);
  const script = "sleep 30 & sleep 40 & echo up; wait";
  const many = JSON.parse(await say(server, "rnx", "--json", "job", "run", "bash", "-c", script)) as {
    job_uuid: string;
  };
  const list = JSON.parse(await say(server, "rnx", "job", "list", "--json")) as { id: string; status: string }[];
  assert.deepEqual(list.map((job) => [job.id, job.status]), [[many.job_uuid, "RUNNING"], [id, "COMPLETED"]]);
  assert.match(await say(server, "rnx", "job", "stop", many.job_uuid), /^Job stopped:\nID: .*\nStatus: STOPPED\n/);
  assert.equal(await say(server, "rnx", "job", "log", many.job_uuid), "up\n");

  const later = ["rnx", "job", "run", "--schedule=2h30m", "--env=A=1", "--json", "true"];
  const scheduled = JSON.parse(await say(server, ...later)) as { job_uuid: string; scheduled_time: string };
  const ahead = Date.parse(scheduled.scheduled_time) - Date.now();
  assert(Math.abs(ahead - 9_000_000) < 60_000, `${ahead} ms`);
  assert.match(await say(server, "rnx", "job", "cancel", scheduled.job_uuid), /\nStatus: CANCELED\n$/);
  assert.equal(await say(server, "rnx", "job", "delete", id), `Job deleted:\nID: ${id}\n`);
  assert.equal(await say(server, "rnx", "job", "delete-all"), "Jobs deleted:\nDeleted: 2\nSkipped: 0\n");
  assert.equal(await say(server, "rnx", "job", "list"), "No jobs found\n");
});

/** A stream's bytes as jobc's objects tell them. */
function reassemble(lines: string, wanted: string): Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (const line of lines.trim().split("\n")) {
    const { log, stream, base64, partial } = JSON.parse(line) as Record<string, string>;
    if (stream !== wanted) continue;
    chunks.push(base64 === undefined ? new TextEncoder().encode(log) : Uint8Array.fromBase64(base64));
    if (!partial) chunks.push(Uint8Array.of(10));
  }
  return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
}

Deno.test(
  { ...root, name: "random bytes come out of jobc's JSON lines exactly, from past and live output alike" },
  async () => {
    await using server = await TestServer.start();
    const script =
      "head -c 200000 /dev/urandom | tee /work/a; head -c 100000 /dev/urandom >&2; sha256sum /work/a > /dev/null";
    const id = (await say(server, "jobc", "start", "sh", "-c", script)).trim();
    const live = await say(server, "jobc", "logs", id);
    const raw = await server.spawn("jobc", "logs", "--raw", id).output();
    assert.deepEqual([raw.stdout.length, raw.stderr.length], [200_000, 100_000]);
    assert.deepEqual(reassemble(live, "stdout"), raw.stdout);
    assert.deepEqual(reassemble(live, "stderr"), raw.stderr);
    assert.equal(await say(server, "jobc", "logs", id), live);
  },
);

Deno.test({ ...root, name: "every face's output ends quietly in head, before and after the job's end" }, async () => {
  await using server = await TestServer.start();
  const endless = await server.detach("sh", "-c", "while :; do echo line; done");
  const ended = await server.detach("sh", "-c", "for i in $(seq 20000); do echo line; done");
  await server.cli("wait", ended);
  for (const words of [["logs", "-f"], ["jobworker", "stream"], ["jobc", "logs"], ["rnx", "job", "log"]]) {
    for (const id of [endless, ended]) {
      const head = new Deno.Command("sh", {
        args: ["-c", '"$@" | head -1', "sh", ...jobletCommand(), ...words, id],
        env: server.env,
        clearEnv: true,
      });
      const { stdout, stderr } = await head.output();
      assert.match(new TextDecoder().decode(stdout), /^(line|\{"log":"line".*\})\n$/, words.join(" "));
      assert.equal(new TextDecoder().decode(stderr), "", words.join(" "));
    }
  }
});

Deno.test({
  ...root,
  name: "an id that is none, and one that no job has, are told in one line, with exit code 1",
}, async () => {
  await using server = await TestServer.start();
  const commands = [["status"], ["stop"], ["jobworker", "status"], ["jobworker", "stream"], ["jobc", "stop"]]
    .concat([["jobc", "logs"], ["rnx", "job", "status"], ["rnx", "job", "log"]]);
  for (const words of commands) {
    const face = words.length > 1 ? words[0] : "joblet";
    for (const [id, message] of [["not-an-id", "Cannot use job id "], ["0fb570a0", "Cannot find job "]] as const) {
      const { code, stdout, stderr } = await server.cli(...words, id);
      assert.deepEqual([code, stdout], [1, ""], words.join(" "));
      assert.match(stderr, new RegExp(`^${face}: ${message}[^\\n]*\\n$`));
    }
  }
});

Deno.test(
  { ...root, name: "rnx nodes tells of each server whether it is there and takes the certificate" },
  async () => {
    await using server = await TestServer.start();
    await using other = await TestServer.start({ launch: false });
    const path = `${server.home}/config/rnx-config.yml`;
    const own = await Deno.readTextFile(path);
    const entry = (text: string) => text.slice(text.indexOf("  default:")).replace(/^ *isDefault: true\n/m, "");
    const foreign = entry(await Deno.readTextFile(`${other.home}/config/rnx-config.yml`));
    const file = `${server.home}/nodes.yml`;
    const text =
      `${own.trimEnd()}\n${
        entry(own).replace("default:", "down:").replaceAll(`:${server.port}`, `:${freePort()}`).trimEnd()
      }\n` +
      foreign.replace("default:", "foreign:").replace(`:${other.port}`, `:${server.port}`);
    await Deno.writeTextFile(file, text, { mode: 0o600 });
    const nodes = JSON.parse(await say(server, "rnx", "--config", file, "nodes", "--json")) as Record<
      string,
      unknown
    >[];
    assert.deepEqual(nodes.map(({ name, default: is }) => [name, is]), [
      ["default", true],
      ["down", false],
      ["foreign", false],
    ]);
    assert.deepEqual([nodes[0]?.["status"], nodes[1]?.["status"]], ["active", "unreachable: connection refused"]);
    assert.match(String(nodes[2]?.["status"]), /^refused: Cannot connect to .*certificates do not fit/);
    const list = await server.cli("rnx", "--config", file, "--node", "default", "job", "list");
    assert.deepEqual([list.code, list.stdout], [0, "No jobs found\n"]);
    assert.match(await say(server, "rnx", "--version"), /^rnx .*\njoblet: default at .*, active\n$/);
  },
);
