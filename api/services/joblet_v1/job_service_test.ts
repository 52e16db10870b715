import assert from "node:assert/strict";
import type { Client } from "@connectrpc/connect";
import { EndReason, JobService, JobState, LogStream } from "../../../proto/gen/joblet/v1/job_pb.ts";
import { type FakeEngine, piece } from "../../testing/fake_engine.ts";
import { codeOf, drain, setUp } from "../../testing/in_memory.ts";

Deno.test("runJob hands the whole spec to the engine, in the caller's name, and what is unset stays unset", async () => {
  const { engine, as } = setUp();
  // An admin, who may ask for all of it.
  const alice = as("alice", "admin");
  const { job } = await alice.runJob({
    spec: {
      command: "sh",
      args: ["-c", "exit 7"],
      name: "seven",
      env: { A: "b=c" },
      workdir: "/tmp",
      network: "host",
      limits: { cpuPercent: 50, memoryBytes: 1n << 40n, ioBytesPerSecond: 9n, cpuCores: "0-1" },
      timeout: { seconds: 1n, nanos: 1 },
      uid: 0,
      profile: "gpu",
      work: "kept",
    },
  });
  assert.equal(job?.owner, "alice");
  assert.deepEqual(engine.inputs[0], {
    command: "sh",
    args: ["-c", "exit 7"],
    name: "seven",
    env: { A: "b=c" },
    workdir: "/tmp",
    network: "host",
    limits: { cpuPercent: 50, memoryBytes: 1n << 40n, ioBytesPerSecond: 9n, cpuCores: "0-1" },
    timeoutMs: 1001,
    uid: 0,
    profile: "gpu",
    work: "kept",
  });
  await alice.runJob({ spec: { command: "id", limits: {} } });
  const { limits, ...rest } = engine.inputs[1]!;
  assert.deepEqual(rest, { command: "id", args: [], name: "", env: {} });
  assert.deepEqual(limits, {});
});

Deno.test("every method answers an empty request with a status, never with a crash", async () => {
  const { as } = setUp();
  const admin = as("root", "admin");
  const answers: Record<string, string> = {
    runJob: await codeOf(admin.runJob({})),
    planJob: await codeOf(admin.planJob({})),
    getJob: await codeOf(admin.getJob({})),
    listJobs: await codeOf(admin.listJobs({})),
    stopJob: await codeOf(admin.stopJob({})),
    cancelJob: await codeOf(admin.cancelJob({})),
    deleteJob: await codeOf(admin.deleteJob({})),
    watchJob: await codeOf(drain(admin.watchJob({}))),
    streamLogs: await codeOf(drain(admin.streamLogs({}))),
  };
  const { listJobs, ...others } = answers;
  assert.equal(listJobs, "OK");
  for (const [method, code] of Object.entries(others)) assert.equal(code, "InvalidArgument", method);
});

Deno.test("malformed fields are INVALID_ARGUMENT", async () => {
  const { engine, as } = setUp();
  const admin = as("root", "admin");
  const { id } = engine.add("root", { state: "running", startedAt: new Date() });
  const wrong = [
    admin.runJob({ spec: { command: "x", timeout: { seconds: -1n } } }),
    admin.runJob({ spec: { command: "x", timeout: { seconds: 1n, nanos: 1_000_000_000 } } }),
    admin.runJob({ spec: { command: "x", timeout: { seconds: 1n << 60n } } }),
    admin.stopJob({ id, signal: "SIGNOPE" }),
    admin.stopJob({ id, grace: { nanos: -1 } }),
    admin.listJobs({ states: [JobState.UNSPECIFIED] }),
    admin.listJobs({ states: [99 as JobState] }),
    drain(admin.streamLogs({ id, offset: 1n << 60n })),
    drain(admin.streamLogs({ id, streams: [LogStream.UNSPECIFIED] })),
  ];
  for (const [index, call] of wrong.entries()) assert.equal(await codeOf(call), "InvalidArgument", String(index));
  assert.deepEqual(engine.stops, []);
  assert.deepEqual(engine.inputs, []);
});

Deno.test("a job of somebody else is PERMISSION_DENIED in each method, an unknown one NOT_FOUND", async () => {
  const { engine, as } = setUp();
  const { id } = engine.add("alice", { state: "running", startedAt: new Date() });
  const calls = (client: Client<typeof JobService>, ref: string) => ({
    getJob: client.getJob({ id: ref }),
    watchJob: drain(client.watchJob({ id: ref })),
    streamLogs: drain(client.streamLogs({ id: ref })),
    stopJob: client.stopJob({ id: ref }),
    cancelJob: client.cancelJob({ id: ref }),
    deleteJob: client.deleteJob({ id: ref }),
  });
  for (const [method, call] of Object.entries(calls(as("bob", "user"), id))) {
    assert.equal(await codeOf(call), "PermissionDenied", method);
  }
  for (const [method, call] of Object.entries(calls(as("bob", "user"), "0000000-none"))) {
    assert.equal(await codeOf(call), "NotFound", method);
  }
  assert.equal(engine.get(id).status.state, "running");
  assert.equal(engine.openStreams, 0);
});

Deno.test("a viewer reads everybody's jobs and starts, stops and deletes none", async () => {
  const { engine, as } = setUp();
  const { id } = engine.add("alice", { state: "running", startedAt: new Date() });
  const viewer = as("alice", "viewer");
  assert.equal((await viewer.getJob({ id })).job?.id, id);
  assert.equal((await drain(viewer.streamLogs({ id }))).length, 2);
  assert.equal((await viewer.listJobs({})).jobs.length, 1);
  for (
    const call of [
      viewer.runJob({ spec: { command: "id" } }),
      viewer.planJob({ spec: { command: "id" } }),
      viewer.stopJob({ id }),
      viewer.cancelJob({ id }),
      viewer.deleteJob({ id }),
      viewer.deleteJobs({}),
    ]
  ) assert.equal(await codeOf(call), "PermissionDenied");
  assert.deepEqual(engine.inputs, []);
});

Deno.test("listJobs gives a user its own jobs only, whatever owner it asks for", async () => {
  const { engine, as } = setUp();
  engine.add("alice", { state: "pending" });
  engine.add("bob", { state: "pending" });
  const owners = async (client: Client<typeof JobService>, owner = "") => {
    const { jobs } = await client.listJobs({ owner });
    return jobs.map((job) => job.owner);
  };
  assert.deepEqual(await owners(as("bob", "user")), ["bob"]);
  assert.deepEqual(await owners(as("bob", "user"), "bob"), ["bob"]);
  assert.deepEqual(await owners(as("bob", "user"), "alice"), []);
  assert.deepEqual(await owners(as("bob", "admin")), ["alice", "bob"]);
  assert.deepEqual(await owners(as("bob", "viewer"), "alice"), ["alice"]);
});

Deno.test("listJobs passes filters and page on", async () => {
  const { engine, as } = setUp();
  const states = [JobState.RUNNING, JobState.LOST];
  const answer = await as("a", "admin").listJobs({
    pageSize: 5,
    pageToken: "p",
    states,
    owner: "x",
    name: "n",
    labels: { a: "1" },
  });
  assert.equal(answer.nextPageToken, "next");
  assert.deepEqual(engine.queries, [
    { pageSize: 5, pageToken: "p", states: ["running", "lost"], owner: "x", name: "n", labels: { a: "1" } },
  ]);
});

Deno.test("jobs are told with exactly the fields that are known", async () => {
  const { engine, as } = setUp();
  const alice = as("alice", "user");
  const [startedAt, endedAt] = [new Date(1_700_000_000_123), new Date(1_700_000_001_000)];
  const get = async (status: Parameters<FakeEngine["add"]>[1]) => {
    const { job } = await alice.getJob({ id: engine.add("alice", status).id });
    return job!;
  };
  const pending = await get({ state: "pending" });
  assert.equal(pending.state, JobState.PENDING);
  assert.deepEqual([pending.endReason, pending.exitCode, pending.signal], [
    EndReason.UNSPECIFIED,
    undefined,
    undefined,
  ]);
  assert.deepEqual([pending.startedAt, pending.endedAt, pending.startFailure], [undefined, undefined, undefined]);

  const usage = { cpuUserMs: 1500.5, memoryPeakBytes: 4096 };
  const exit = { kind: "exited", code: 0 } as const;
  const done = await get({ state: "completed", startedAt, endedAt, reason: "exited", exit, usage });
  assert.equal(done.exitCode, 0);
  assert.equal(done.signal, undefined);
  assert.deepEqual([done.startedAt?.seconds, done.startedAt?.nanos], [1_700_000_000n, 123_000_000]);
  assert.deepEqual([done.usage?.cpuUser?.seconds, done.usage?.cpuUser?.nanos], [1n, 500_500_000]);
  assert.equal(done.usage?.cpuSystem, undefined);
  assert.equal(done.usage?.memoryPeakBytes, 4096n);

  const killed = await get({ state: "failed", endedAt, reason: "signaled", exit: { kind: "signaled", signal: 9 } });
  assert.deepEqual([killed.exitCode, killed.signal, killed.startedAt], [undefined, 9, undefined]);

  const failure = {
    step: 'exec "foo"',
    errno: "ENOENT",
    message: 'exec "foo": not found in PATH',
    exitCode: 127,
  } as const;
  const unstarted = await get({ state: "failed", endedAt, reason: "start_failed", failure });
  assert.equal(unstarted.endReason, EndReason.START_FAILED);
  assert.deepEqual([unstarted.startFailure?.errno, unstarted.startFailure?.exitCode], ["ENOENT", 127]);
});

Deno.test("streamLogs passes bytes, times, gaps and the ended job on and does not copy the bytes", async () => {
  const { engine, as } = setUp();
  const exit = { kind: "exited", code: 3 } as const;
  const { id } = engine.add("alice", { state: "failed", endedAt: new Date(), reason: "exited", exit });
  const bytes = new Uint8Array([0, 255, 10]);
  engine.pieces = [{ ...piece(0, ""), data: bytes }, { ...piece(40, "", "stderr"), missingBytes: 7 }];
  const answers = await drain(as("alice", "user").streamLogs({ id, offset: 12n, streams: [1, 2, 1] }));
  assert.deepEqual(engine.logQueries, [{ offset: 12, follow: false, streams: ["stdout", "stderr"] }]);
  const [first, second] = answers[0]!.frames;
  assert.deepEqual(first!.data, bytes);
  assert.deepEqual([first!.time?.seconds, first!.time?.nanos], [1_700_000_000n, 123_456_789]);
  assert.deepEqual([second!.offset, second!.stream, second!.missingBytes], [40n, LogStream.STDERR, 7n]);
  assert.equal(answers[0]!.nextOffset, 2n);
  assert.equal(answers[0]!.endedJob, undefined);
  assert.equal(answers[1]!.endedJob?.exitCode, 3);
});

Deno.test("watchJob sends the job now and after each change and ends after a terminal state", async () => {
  const { engine, as } = setUp();
  const { id } = engine.add("alice", { state: "running", startedAt: new Date() });
  const states: JobState[] = [];
  for await (const { job } of as("alice", "user").watchJob({ id })) {
    states.push(job!.state);
    if (job!.state === JobState.RUNNING) await engine.stop(id);
  }
  assert.equal(states[0], JobState.RUNNING);
  assert.equal(states.at(-1), JobState.STOPPED);
  assert.equal(engine.openStreams, 0);
});

Deno.test("streams end with the caller's abort and with its deadline, and free the engine's side", async () => {
  const { engine, as } = setUp();
  const { id } = engine.add("alice", { state: "running", startedAt: new Date() });
  const alice = as("alice", "user");
  const abort = new AbortController();
  const stream = alice.streamLogs({ id, follow: true }, { signal: abort.signal })[Symbol.asyncIterator]();
  await stream.next();
  const waiting = codeOf(stream.next());
  abort.abort();
  assert.equal(await waiting, "Canceled");
  await engine.streamsAre(0);
  assert.equal(await codeOf(drain(alice.watchJob({ id }, { timeoutMs: 20 }))), "DeadlineExceeded");
  await engine.streamsAre(0);
});

Deno.test("stopJob passes signal and grace on, resolves prefixes once, and leaves an ended job unchanged", async () => {
  const { engine, as } = setUp();
  const { id } = engine.add("alice", { state: "running", startedAt: new Date() });
  const alice = as("alice", "user");
  const { job } = await alice.stopJob({
    id: id.slice(0, 8),
    signal: "int",
    grace: { seconds: 2n, nanos: 500_000_000 },
  });
  assert.equal(job?.state, JobState.STOPPED);
  assert.equal(job?.endReason, EndReason.STOPPED);
  assert.deepEqual((await alice.stopJob({ id })).job?.state, JobState.STOPPED);
  assert.deepEqual(engine.stops, [{ signal: "SIGINT", graceMs: 2500 }, {}]);
  await alice.deleteJob({ id });
  assert.equal(await codeOf(alice.getJob({ id })), "NotFound");
});

Deno.test("planJob tells the steps and runs nothing", async () => {
  const { engine, as } = setUp();
  const { steps } = await as("alice", "user").planJob({ spec: { command: "id" } });
  assert.deepEqual(steps.map(({ actor, name, detail }) => [actor, name, detail]), [["program", "exec", "id"]]);
  assert.equal(engine.jobs.size, 0);
});
