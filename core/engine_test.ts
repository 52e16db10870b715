/** The engine as a library: needs root and cgroup v2. */
import "../tests/harness/ffi.ts";
import assert from "node:assert/strict";
import { requires } from "../tests/harness/requires.ts";
import { defaultEngineConfig } from "./config.ts";
import { openEngine } from "./engine.ts";
import { EngineError } from "./errors.ts";
import type { Engine } from "./jobs/engine.ts";
import type { Job } from "./jobs/job.ts";
import { homeAt } from "./values/home.ts";

const root = requires("root", "cgroup2");
const forever = AbortSignal.timeout(120_000);

/** An engine on a home of its own; what its background tells is a failure of the test. */
class Lab implements AsyncDisposable {
  readonly dir: string;
  engine: Engine;

  private constructor(dir: string, engine: Engine) {
    this.dir = dir;
    this.engine = engine;
  }

  static #open(dir: string): Promise<Engine> {
    const config = { ...defaultEngineConfig(homeAt(dir)), stopGraceMs: 1000 };
    return openEngine(config, (what, error) => {
      throw new Error(what, { cause: error });
    });
  }

  static async make(): Promise<Lab> {
    const dir = await Deno.makeTempDir({ prefix: "joblet-engine-" });
    return new Lab(dir, await Lab.#open(dir));
  }

  async reopen(): Promise<void> {
    await this.engine.close();
    this.engine = await Lab.#open(this.dir);
  }

  sh(script: string, timeoutMs?: number): Promise<Job> {
    return this.engine.run({ command: "sh", args: ["-c", script], timeoutMs }, "ann");
  }

  /** The cgroup that the engine manages. */
  cgroup(): string {
    const line = this.engine.plan({ command: "true" }, "ann").find(({ name }) => name === "create the job's cgroup");
    return line!.detail.replace(/\/jobs\/user-[^/]*\/job-[^/]*$/, "");
  }

  /** The output and the ended job. */
  async finish(id: string): Promise<{ out: string; err: string; job: Job }> {
    const texts = { stdout: "", stderr: "" };
    const decoder = new TextDecoder();
    for await (const { pieces, endedJob } of this.engine.logs(id, { follow: true }, forever)) {
      for (const { stream, data } of pieces) texts[stream] += decoder.decode(data);
      if (endedJob) return { out: texts.stdout, err: texts.stderr, job: endedJob };
    }
    throw new Error("The log ended without the ended job");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const job of this.engine.list({ states: ["running", "stopping"] }).jobs) {
      await this.engine.stop(job.id, { signal: "SIGKILL" });
    }
    await this.engine.close();
    await Deno.remove(this.dir, { recursive: true });
  }
}

function test(name: string, body: (lab: Lab) => Promise<void>): void {
  Deno.test({
    ...root,
    name,
    fn: async () => {
      await using lab = await Lab.make();
      await body(lab);
    },
  });
}

test("a program has as many and as large secret files as a job may have, byte for byte", async (lab) => {
  const file = (index: number) => new Uint8Array(16 * 1024).fill(index);
  const secretFiles = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`f${index}`, file(index)]));
  const script =
    'cat /run/secrets/* | wc -c; for i in $(seq 0 63); do tr -d "\\\\$(printf %o $i)" </run/secrets/f$i; done | wc -c';
  const { id } = await lab.engine.run({ command: "sh", args: ["-c", script], secretFiles }, "ann");
  assert.equal((await lab.finish(id)).out, "1048576\n0\n");
});

test("Engine.run runs a program and keeps both streams, its exit code and what it used", async (lab) => {
  const started = await lab.sh("echo out; echo err >&2; exit 7");
  assert.equal(started.status.state, "running");
  const { out, err, job } = await lab.finish(started.id);
  assert.deepEqual([out, err], ["out\n", "err\n"]);
  assert(job.status.state === "failed" && job.status.reason === "exited");
  assert.deepEqual(job.status.exit, { kind: "exited", code: 7 });
  assert(job.status.usage?.memoryPeakBytes !== undefined && job.status.usage.memoryPeakBytes > 0);
  assert.deepEqual(lab.engine.get(started.id.slice(0, 6)), job);
});

test("Engine.withUsage tells what a running job uses, which is not stored; what it used in all is", async (lab) => {
  const { id } = await lab.sh("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo ready; exec sleep 1000");
  for await (const { pieces } of lab.engine.logs(id, { follow: true }, forever)) if (pieces.length > 0) break;
  const { status } = lab.engine.withUsage(lab.engine.get(id));
  assert(status.state === "running" && status.usage?.cpuUserMs !== undefined);
  assert(status.usage.cpuUserMs + (status.usage.cpuSystemMs ?? 0) > 0);
  const stored = lab.engine.get(id);
  assert(stored.status.state === "running" && !("usage" in stored.status));
  const ended = await lab.engine.stop(id, { signal: "SIGKILL" });
  assert(ended.status.state === "stopped" && (ended.status.usage?.cpuUserMs ?? 0) >= status.usage.cpuUserMs);
  for (const field of ["memoryBytes", "pids"]) assert(!(field in ended.status.usage!), field);
  assert.deepEqual(lab.engine.withUsage(ended), ended);
});

test("Engine.run of a missing program is a failed job that says why, without a log", async (lab) => {
  const job = await lab.engine.run({ command: "no-such" }, "ann");
  assert(job.status.state === "failed" && job.status.reason === "start_failed");
  assert.equal(job.status.failure?.exitCode, 127);
  const { out, job: ended } = await lab.finish(job.id);
  assert.deepEqual([out, ended], ["", job]);
});

test("Engine.run refuses limits without a controller before anything is stored", async (lab) => {
  try {
    await lab.engine.run({ command: "true", limits: { cpuPercent: 50 } }, "ann");
  } catch (error) {
    assert(error instanceof EngineError && error.kind === "precondition");
    assert.deepEqual(lab.engine.list().jobs, []);
  }
});

test("the cgroup of a job lies in one of its owner, in that of all; they are made again if they are gone and go with the server", async (lab) => {
  const all = `${lab.cgroup()}/jobs`;
  const users = () => [...Deno.readDirSync(all)].map(({ name }) => name).filter((name) => name.startsWith("user-"));
  const run = async (owner: string) => {
    const { id } = await lab.engine.run({ command: "true" }, owner);
    assert.equal((await lab.finish(id)).job.status.state, "completed");
  };
  await run("ann");
  await run("../eve");
  assert.deepEqual(users().toSorted(), ["user-%2E%2E%2Feve", "user-ann"]);
  await Deno.remove(`${all}/user-ann`);
  await run("ann");
  for (const folder of [...users().map((user) => `${all}/${user}`), all]) await Deno.remove(folder);
  await run("ann");
  const running = await lab.sh("exec sleep 1000");
  await lab.reopen();
  assert.deepEqual(users(), ["user-ann"], "those without jobs went");
  assert.deepEqual([...Deno.readDirSync(`${all}/user-ann`)].filter(({ isDirectory }) => isDirectory).length, 1);
  await lab.engine.stop(running.id, { signal: "SIGKILL" });
  await lab.reopen();
  assert.throws(users, Deno.errors.NotFound);
});

test("Engine.run names what the server itself could not do, and leaves nothing of the job", async (lab) => {
  const failureOf = async () => {
    const { status, id } = await lab.engine.run({ command: "true" }, "ann");
    assert(status.state === "failed" && status.reason === "start_failed");
    assert.deepEqual(lab.engine.get(id).status, status);
    return status.failure?.message;
  };
  const base = lab.cgroup();
  await Deno.writeTextFile(`${base}/cgroup.max.descendants`, "1");
  assert.equal(await failureOf(), "create the job's cgroup: EAGAIN");
  await Deno.writeTextFile(`${base}/cgroup.max.descendants`, "max");
  await Deno.remove(`${lab.dir}/logs`, { recursive: true });
  await Deno.writeTextFile(`${lab.dir}/logs`, "");
  assert.equal(await failureOf(), "create the journal: ENOTDIR");
  assert.deepEqual([...Deno.readDirSync(base)].filter(({ name }) => name.startsWith("job-")), []);
});

test("Engine.stop lets the program end itself, and its last words are kept", async (lab) => {
  const { id } = await lab.sh("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done");
  for await (const { pieces } of lab.engine.logs(id, { follow: true }, forever)) if (pieces.length > 0) break;
  const job = await lab.engine.stop(id);
  assert(job.status.state === "stopped");
  assert.deepEqual(job.status.exit, { kind: "exited", code: 3 });
  assert.equal((await lab.finish(id)).out, "ready\nbye\n");
});

test("Engine.stop kills a tree that ignores it, after the grace, and children that left the session", async (lab) => {
  const { id } = await lab.sh(
    "trap '' TERM; echo ready; setsid sleep 1000 & (nohup sleep 1000 &); while :; do sleep 1000; done",
  );
  for await (const { pieces } of lab.engine.logs(id, { follow: true }, forever)) if (pieces.length > 0) break;
  const begin = performance.now();
  const job = await lab.engine.stop(id, { graceMs: 300 });
  assert(job.status.state === "stopped");
  assert.deepEqual(job.status.exit, { kind: "signaled", signal: 9 });
  const ms = performance.now() - begin;
  assert(ms >= 300 && ms < 2000, `${ms} ms`);
});

test("Engine.stop ends a job whose processes are stopped by SIGSTOP", async (lab) => {
  const { id } = await lab.sh("kill -STOP $$");
  const job = await lab.engine.stop(id, { graceMs: 200 });
  assert.equal(job.status.state, "stopped");
});

test("Engine ends a job when its program ends, whatever its children do", async (lab) => {
  const { id } = await lab.sh("sleep 1000 & setsid sleep 1000 & echo done; exit 0");
  const { out, job } = await lab.finish(id);
  assert.deepEqual([out, job.status.state], ["done\n", "completed"]);
});

test("Engine goes on reading a program that closes its outputs and ends it right", async (lab) => {
  const { id } = await lab.sh("exec >&- 2>&-; sleep 0.3; exit 6");
  const { job } = await lab.finish(id);
  assert("exit" in job.status);
  assert.deepEqual(job.status.exit, { kind: "exited", code: 6 });
});

test("Engine ends a job at its timeout, with SIGTERM first and the kill after the grace", async (lab) => {
  const polite = await lab.sh("trap 'echo late; exit 0' TERM; while :; do sleep 0.05; done", 1000);
  const rude = await lab.sh("trap '' TERM; while :; do sleep 0.05; done", 300);
  const first = await lab.finish(polite.id);
  assert.deepEqual([first.out, first.job.status.state], ["late\n", "timeout"]);
  const second = await lab.finish(rude.id);
  assert(second.job.status.state === "timeout");
  assert.deepEqual(second.job.status.exit, { kind: "signaled", signal: 9 });
});

test("Engine.watch tells every state once, in order", async (lab) => {
  const { id } = await lab.sh("sleep 1000");
  const states: string[] = [];
  const watching = (async () => {
    for await (const job of lab.engine.watch(id, forever)) states.push(job.status.state);
  })();
  await lab.engine.stop(id);
  await watching;
  assert.deepEqual(states, ["running", "stopping", "stopped"]);
});

test("Engine.delete removes the job and its journal, but not while it runs", async (lab) => {
  const { id } = await lab.sh("sleep 1000");
  await assert.rejects(lab.engine.delete(id), /stop it first/);
  await lab.engine.stop(id, { signal: "SIGKILL" });
  await lab.engine.delete(id);
  assert.throws(() => lab.engine.get(id), /Cannot find job/);
});

test("Engine.get refuses a prefix that fits several jobs and text that is no id", async (lab) => {
  const jobs = await Promise.all(Array.from({ length: 17 }, () => lab.engine.run({ command: "true" }, "ann")));
  const digits = jobs.map(({ id }) => id[0]!);
  const twice = digits.find((digit, index) => digits.indexOf(digit) !== index)!;
  assert.throws(() => lab.engine.get(twice), /fits several/);
  assert.throws(() => lab.engine.get("../x"), /no UUID or start of one/);
  await Promise.all(jobs.map(({ id }) => lab.finish(id)));
});

test("Engine adopts jobs that run on after a close, and those that ended meanwhile", async (lab) => {
  const long = await lab.sh("trap 'echo two; exit 5' USR1; echo one; while :; do sleep 0.05; done");
  const dying = await lab.sh("kill -11 $$");
  await lab.reopen();
  assert.equal(lab.engine.get(long.id).status.state, "running");
  const ended = await lab.finish(dying.id);
  assert("exit" in ended.job.status);
  assert.deepEqual(ended.job.status.exit, { kind: "signaled", signal: 11 });
  for await (const { pieces } of lab.engine.logs(long.id, { follow: true }, forever)) if (pieces.length > 0) break;
  const [pid] = Deno.readTextFileSync(`${lab.cgroup()}/jobs/user-ann/job-${long.id}/cgroup.procs`).split("\n");
  assert(Number(pid) > 1);
  Deno.kill(Number(pid), "SIGUSR1");
  const { out, job } = await lab.finish(long.id);
  assert.equal(out, "one\ntwo\n");
  assert("exit" in job.status);
  assert.deepEqual(job.status.exit, { kind: "exited", code: 5 });
});

test("Engine.plan shows the steps by actor without starting anything", (lab) => {
  const lines = lab.engine.plan({ command: "true" }, "ann");
  assert.deepEqual([...new Set(lines.map(({ actor }) => actor))], ["root", "server", "init", "program"]);
  assert.deepEqual(lab.engine.list().jobs, []);
  return Promise.resolve();
});
