import assert from "node:assert/strict";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { JobStatus } from "../../../core/jobs/job.ts";
import { JobService } from "../../../proto/gen/joblet/joblet_pb.ts";
import type { Role } from "../../auth/role.ts";
import { piece } from "../../testing/fake_engine.ts";
import { codeOf, drain, setUp } from "../../testing/in_memory.ts";

function joblet(role: Role = "user") {
  const { engine, transport } = setUp();
  return { engine, client: createClient(JobService, transport("alice", role)) };
}

const AT = new Date(1_700_000_000_000);
const TIME = "2023-11-14T22:13:20.000Z";
const EXIT = { kind: "exited", code: 3 } as const;

Deno.test("runJob maps every field there is, and leaves 0 and empty texts to the server", async () => {
  const { engine, client } = joblet("admin");
  const { jobUuid, status } = await client.runJob({
    command: "echo",
    args: ["a b", ""],
    maxCpu: 150,
    cpuCores: "0-1",
    maxMemory: 512,
    maxIoBps: 1000,
    schedule: "2030-01-01T00:00:00Z",
    network: "isolated",
    workDir: "/tmp",
    environment: { A: "1" },
    secretEnvironment: { B: "2" },
  });
  await client.runJob({ command: "true" });
  assert.equal(status, "RUNNING");
  assert.equal(engine.get(jobUuid).owner, "alice");
  assert.deepEqual(engine.inputs, [{
    command: "echo",
    args: ["a b", ""],
    env: { A: "1" },
    secretEnv: { B: "2" },
    workdir: "/tmp",
    network: "none",
    limits: { cpuPercent: 150, memoryBytes: 512 << 20, ioBytesPerSecond: 1000, cpuCores: "0-1" },
    schedule: { when: "2030-01-01T00:00:00Z" },
  }, { command: "true", args: [], env: {}, secretEnv: {}, limits: {} }]);
});

Deno.test("runJob says by name what joblet has not yet, and what is wrong, and runs nothing", async () => {
  const { engine, client } = joblet();
  const table: [Parameters<typeof client.runJob>[0], Code, RegExp][] = [
    [{ uploads: [{ path: "a" }] }, Code.Unimplemented, /no uploads yet/],
    [{ volumes: ["v"], runtime: "python" }, Code.Unimplemented, /no volumes and runtimes yet/],
    [{ gpuCount: 1 }, Code.Unimplemented, /no GPUs yet/],
    [{ network: "bridge" }, Code.Unimplemented, /network 'bridge'/],
    [{ network: "host" }, Code.PermissionDenied, /--network host/],
    [{ maxMemory: -1 }, Code.InvalidArgument, /max_memory -1/],
  ];
  for (const [request, code, message] of table) {
    await assert.rejects(client.runJob({ command: "true", ...request }), (error) => {
      assert.equal(ConnectError.from(error).code, code, String(error));
      return message.test(String(error));
    });
  }
  assert.deepEqual(engine.inputs, []);
});

Deno.test("jobs are told with states, times and exit codes as Joblet's clients know them", async () => {
  const { engine, client } = joblet();
  const ended = { startedAt: AT, endedAt: AT };
  const table: [JobStatus, string, number][] = [
    [{ state: "running", startedAt: AT }, "RUNNING", 0],
    [{ state: "completed", ...ended, reason: "exited", exit: { kind: "exited", code: 0 } }, "COMPLETED", 0],
    [{ state: "failed", ...ended, reason: "exited", exit: EXIT }, "FAILED", 3],
    [{ state: "failed", ...ended, reason: "signaled", exit: { kind: "signaled", signal: 9 } }, "FAILED", -1],
    [{ state: "stopped", ...ended, reason: "stopped", exit: { kind: "signaled", signal: 15 } }, "STOPPED", -1],
    [{ state: "timeout", ...ended, reason: "timeout", exit: { kind: "signaled", signal: 9 } }, "TIMEOUT", 124],
    [{ state: "lost", ...ended, reason: "lost" }, "FAILED", -1],
    [{ state: "canceled", endedAt: AT, reason: "canceled" }, "CANCELED", -1],
    [{ state: "scheduled", at: AT }, "SCHEDULED", 0],
  ];
  for (const [status, text, exitCode] of table) {
    const { id: uuid } = engine.add("alice", status, { command: "echo", args: ["x"], env: { A: "1" } });
    const job = await client.getJobStatus({ uuid });
    const startTime = "startedAt" in status ? TIME : "";
    const endTime = "endedAt" in status ? TIME : "";
    const scheduledTime = status.state === "scheduled" ? TIME : "";
    const { $typeName: _, ...fields } = job;
    assert.deepEqual({ ...fields, secretEnvironment: { ...fields.secretEnvironment } }, {
      uuid,
      command: "echo",
      args: ["x"],
      maxCpu: 0,
      cpuCores: "",
      maxMemory: 0,
      maxIoBps: 0,
      status: text,
      startTime,
      endTime,
      exitCode,
      scheduledTime,
      environment: { A: "1" },
      secretEnvironment: {},
      network: "none",
      volumes: [],
      runtime: "",
      workDir: "/work",
      uploads: [],
      gpuIndices: [],
      gpuCount: 0,
      gpuMemoryMb: 0,
      nodeId: "",
    });
  }
  const { jobs } = await client.listJobs({});
  assert.deepEqual(jobs.map(({ status }) => status), table.map(([, text]) => text));
});

Deno.test("stopJob, cancelJob, deleteJob and deleteAllJobs answer as Joblet's clients expect", async () => {
  const { engine, client } = joblet();
  const running = engine.add("alice", { state: "running", startedAt: AT }).id;
  const stopped = await client.stopJob({ uuid: running });
  assert.deepEqual([stopped.uuid, stopped.status, stopped.exitCode], [running, "STOPPED", -1]);
  assert.match(stopped.endTime, /^\d{4}-.*Z$/);
  const scheduled = engine.add("alice", { state: "scheduled", at: AT }).id;
  assert.equal((await client.cancelJob({ uuid: scheduled })).status, "CANCELED");
  assert.equal(await codeOf(client.cancelJob({ uuid: running })), "FailedPrecondition");
  const deleted = await client.deleteJob({ uuid: running.slice(0, 8) });
  assert.deepEqual([deleted.uuid, deleted.success], [running, true]);
  const all = await client.deleteAllJobs({});
  assert.deepEqual([all.success, all.deletedCount, all.skippedCount], [true, 3, 1]);
});

Deno.test("getJobLogs sends every byte of both streams", async () => {
  const { engine, client } = joblet();
  const { id: uuid } = engine.add("alice", { state: "canceled", endedAt: AT, reason: "canceled" });
  engine.pieces = [piece(0, "out\n"), piece(1, "err\n", "stderr")];
  const chunks = await drain(client.getJobLogs({ uuid }));
  assert.equal(chunks.map(({ payload }) => new TextDecoder().decode(payload)).join(""), "out\nerr\n");
});

Deno.test("every method answers an empty request with a status, and metrics are said to be missing", async () => {
  const { engine, client } = joblet();
  assert.equal(await codeOf(client.getJobStatus({})), "InvalidArgument");
  assert.equal(await codeOf(client.stopJob({})), "InvalidArgument");
  const { id: jobUuid } = engine.add("alice", { state: "pending" });
  for (const call of [client.streamJobMetrics, client.getJobMetrics, client.streamJobTelematics]) {
    await assert.rejects(drain<unknown>(call({ jobUuid })), /joblet has no (metrics|telematics) yet/);
  }
});
