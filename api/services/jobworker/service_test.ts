import assert from "node:assert/strict";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { Job } from "../../../core/jobs/job.ts";
import { JobStatus, JobWorker } from "../../../proto/gen/jobworker/jobworker_pb.ts";
import type { Role } from "../../auth/role.ts";
import { piece } from "../../testing/fake_engine.ts";
import { codeOf, drain, setUp } from "../../testing/in_memory.ts";

function worker(role: Role = "user", name = "alice") {
  const setup = setUp();
  return { engine: setup.engine, as: (who = name) => createClient(JobWorker, setup.transport(who, role)) };
}

const AT = new Date(1_700_000_000_000);

Deno.test("startJob maps shares to a weight, hands limits on, and leaves 0 to the server", async () => {
  const { engine, as } = worker();
  const limits = { cpuShares: 1024n, memoryLimitBytes: 100n << 20n, ioWeight: 100n };
  const started = await as().startJob({ command: "echo", args: ["a b", ""], resourceLimits: limits });
  await as().startJob({ command: "true", resourceLimits: {} });
  await as().startJob({ command: "true" });
  assert.equal(started.status, JobStatus.RUNNING);
  assert.equal(engine.get(started.id).owner, "alice");
  const expected = { command: "echo", args: ["a b", ""] };
  assert.deepEqual(engine.inputs, [
    { ...expected, limits: { cpuWeight: 100, memoryBytes: 100n << 20n, ioWeight: 100n } },
    { command: "true", args: [], limits: {} },
    { command: "true", args: [] },
  ]);
});

Deno.test("startJob refuses shares out of range and tells why a program could not be started", async () => {
  const { engine, as } = worker();
  for (const cpuShares of [1n, 262_145n, 1n << 63n]) {
    const call = as().startJob({ command: "true", resourceLimits: { cpuShares } });
    assert.equal(await codeOf(call), "InvalidArgument", String(cpuShares));
  }
  assert.deepEqual(engine.inputs, []);
  for (const [exitCode, code] of [[127, Code.InvalidArgument], [125, Code.FailedPrecondition]] as const) {
    const failure = { step: "exec", errno: "", message: 'exec "nope": not found in PATH', exitCode };
    engine.run = () =>
      Promise.resolve(engine.add("alice", { state: "failed", endedAt: AT, reason: "start_failed", failure }));
    await assert.rejects(as().startJob({ command: "nope" }), (error) => {
      assert(error instanceof ConnectError);
      assert.equal(error.code, code);
      return /^Cannot start job [0-9a-f-]{36}: exec "nope": not found in PATH$/.test(error.rawMessage);
    });
  }
});

Deno.test("states are told in the words of the job worker service", async () => {
  const { engine, as } = worker();
  const exit = { kind: "exited", code: 0 } as const;
  const ended = { startedAt: AT, endedAt: AT, exit };
  const table: [Job["status"], JobStatus][] = [
    [{ state: "completed", ...ended, reason: "exited" }, JobStatus.COMPLETED],
    [{ state: "failed", ...ended, reason: "exited" }, JobStatus.FAILED],
    [{ state: "timeout", ...ended, reason: "timeout" }, JobStatus.FAILED],
    [{ state: "lost", ...ended, reason: "lost" }, JobStatus.FAILED],
    [{ state: "stopped", ...ended, reason: "stopped" }, JobStatus.STOPPED],
    [{ state: "canceled", endedAt: AT, reason: "canceled" }, JobStatus.STOPPED],
  ];
  for (const [status, expected] of table) {
    const { id } = engine.add("alice", status);
    const messages = await drain(as().getJobStatus({ id }));
    assert.deepEqual(messages.map((message) => message.status), [expected], status.state);
  }
});

Deno.test("getJobStatus sends the job now and after each change, with what it uses, and ends with it", async () => {
  const { engine, as } = worker();
  const usage = { cpuUserMs: 1.5, cpuSystemMs: 0.5, memoryPeakBytes: 4096, ioReadBytes: 10, ioWriteBytes: 5 };
  const { id } = engine.add("alice", { state: "running", startedAt: AT, usage: { ...usage, memoryBytes: 100 } });
  const seen: [JobStatus, bigint | undefined, bigint | undefined, bigint | undefined][] = [];
  for await (const { status, resourceUsage } of as().getJobStatus({ id })) {
    seen.push([status, resourceUsage?.cpuUsage, resourceUsage?.memoryUsage, resourceUsage?.ioUsage]);
    if (status !== JobStatus.RUNNING) continue;
    const exit = { kind: "exited", code: 3 } as const;
    engine.change(id, { state: "failed", startedAt: AT, endedAt: AT, reason: "exited", exit, usage });
  }
  assert.deepEqual(seen, [[JobStatus.RUNNING, 2_000_000n, 100n, 15n], [JobStatus.FAILED, 2_000_000n, 4096n, 15n]]);
});

Deno.test("getJobOutput sends both streams in order, and DATA_LOSS at the end if bytes are missing", async () => {
  const { engine, as } = worker();
  const { id } = engine.add("alice", { state: "canceled", endedAt: AT, reason: "canceled" });
  engine.pieces = [piece(0, "a\xff"), piece(1, "b", "stderr"), piece(2, "c")];
  const output = await drain(as().getJobOutput({ id }));
  assert.deepEqual(output.map(({ data }) => new TextDecoder().decode(data)), ["a\xffbc"]);
  engine.pieces = [{ ...piece(0, ""), missingBytes: 7 }, piece(1, "rest")];
  const got: string[] = [];
  const read = async () => {
    for await (const { data } of as().getJobOutput({ id })) got.push(new TextDecoder().decode(data));
  };
  await assert.rejects(
    read(),
    (error) => ConnectError.from(error).code === Code.DataLoss && /7 bytes/.test(`${error}`),
  );
  assert.deepEqual(got, ["rest"]);
});

Deno.test("stopJob answers with the times of the job", async () => {
  const { engine, as } = worker();
  const { id } = engine.add("alice", { state: "running", startedAt: AT });
  const { status, startTime, stopTime } = await as().stopJob({ id });
  assert.deepEqual([status, startTime?.seconds, stopTime !== undefined], [JobStatus.STOPPED, 1_700_000_000n, true]);
});

Deno.test("listJobs groups ids by owner, filters, and tells a user of its own jobs alone", async () => {
  const { engine, as } = worker("viewer");
  const waiting = { state: "pending" } as const;
  const alice = [engine.add("alice", waiting).id, engine.add("alice", waiting).id];
  const odd = engine.add("constructor", waiting).id;
  const lists = async (userIds: string[]) =>
    Object.fromEntries(
      Object.entries((await as().listJobs({ userIds })).jobs).map(([name, { jobIds }]) => [name, jobIds]),
    );
  assert.deepEqual(await lists([]), { alice, constructor: [odd] });
  assert.deepEqual(await lists(["constructor", "nobody"]), { constructor: [odd] });
  const own = worker("user");
  own.engine.add("alice", waiting);
  own.engine.add("bob", waiting);
  const { jobs } = await own.as().listJobs({ userIds: ["bob"] });
  assert.deepEqual(jobs, {});
  assert.deepEqual(own.engine.queries.map(({ owner }) => owner), ["alice", "alice"]);
});
