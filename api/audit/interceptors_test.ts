import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { type Client, createClient, createRouterTransport, type Interceptor } from "@connectrpc/connect";
import { EngineError } from "../../core/errors.ts";
import { RunJobResponseSchema as OldRunJobResponse } from "../../proto/gen/joblet/joblet_pb.ts";
import { DeleteJobRequestSchema, DeleteJobsResponseSchema, JobService } from "../../proto/gen/joblet/v1/job_pb.ts";
import { peerAddressKey, peerKey } from "../auth/context.ts";
import { AuthError } from "../auth/identity.ts";
import { createInterceptors } from "../server/interceptors.ts";
import { createRoutes } from "../server/routes.ts";
import { FakeEngine, piece } from "../testing/fake_engine.ts";
import { codeOf, drain, setUp } from "../testing/in_memory.ts";
import type { AuditSink } from "./interceptors.ts";
import { answeredIn, namedIn } from "./object.ts";
import type { CallEntry } from "./record.ts";

/** Keeps records; `failure` stands for a disk that takes none. */
class FakeSink implements AuditSink {
  readonly entries: CallEntry[] = [];
  failure: EngineError | undefined;

  record(entry: CallEntry): void {
    this.entries.push(entry);
  }

  assertWritable(): void {
    if (this.failure) throw this.failure;
  }

  /** What was recorded since the last look: name, method, object, decision and code. */
  take(): unknown[] {
    return this.entries.splice(0).map(({ name, method, object, decision, code }) => [
      name,
      method.replace("joblet.v1.JobService/", ""),
      object,
      decision,
      code,
    ]);
  }
}

Deno.test("calls that change something leave a record with the job's whole id, reads and streams leave none", async () => {
  const audit = new FakeSink();
  const { engine, as } = setUp({ audit });
  const alice = as("alice", "user");
  engine.pieces = [piece(0, "x")];
  const { job } = await alice.runJob({ spec: { command: "x" } });
  const id = job!.id;
  await alice.getJob({ id });
  await alice.listJobs({});
  await alice.planJob({ spec: { command: "x" } });
  await drain(alice.streamLogs({ id }));
  await alice.stopJob({ id: id.slice(0, 8) });
  await alice.deleteJob({ id: id.slice(0, 8) });
  await alice.deleteJobs({});
  assert.deepEqual(audit.take(), [
    ["alice", "RunJob", id, "allowed", "OK"],
    ["alice", "StopJob", id, "allowed", "OK"],
    ["alice", "DeleteJob", id, "allowed", "OK"],
    ["alice", "DeleteJobs", "3 jobs", "allowed", "OK"],
  ]);
});

Deno.test("denied calls leave a record, reads and streams alike; a call that fails is allowed and says how", async () => {
  const audit = new FakeSink();
  const { engine, as } = setUp({ audit });
  const { id } = engine.add("alice", { state: "running", startedAt: new Date() });
  const [bob, eve] = [as("bob", "user"), as("eve", "viewer")];
  await codeOf(bob.getJob({ id }));
  await codeOf(drain(bob.streamLogs({ id: id.slice(0, 8) })));
  await codeOf(bob.stopJob({ id: id.slice(0, 8) }));
  await codeOf(eve.stopJob({ id }));
  await codeOf(eve.runJob({ spec: { command: "x" } }));
  await codeOf(bob.cancelJob({ id: "ffff" }));
  await codeOf(bob.getJob({ id: "ffff" }));
  await codeOf(bob.runJob({ spec: { command: "x", network: "host" } }));
  engine.nextError = new TypeError("x is not a function");
  await codeOf(bob.runJob({ spec: { command: "x" } }));
  assert.deepEqual(audit.take(), [
    ["bob", "GetJob", id, "denied", "PERMISSION_DENIED"],
    ["bob", "StreamLogs", id, "denied", "PERMISSION_DENIED"],
    ["bob", "StopJob", id, "denied", "PERMISSION_DENIED"],
    ["eve", "StopJob", id, "denied", "PERMISSION_DENIED"],
    ["eve", "RunJob", undefined, "denied", "PERMISSION_DENIED"],
    ["bob", "CancelJob", "ffff", "allowed", "NOT_FOUND"],
    ["bob", "RunJob", undefined, "denied", "PERMISSION_DENIED"],
    ["bob", "RunJob", undefined, "allowed", "INTERNAL"],
  ]);
});

/** A client whose calls come from this peer. */
function clientOf(audit: AuditSink, peer: () => never): Client<typeof JobService> {
  const connect: Interceptor = (next) => (request) => {
    request.contextValues.set(peerKey, peer).set(peerAddressKey, "192.0.2.7:51000");
    return next(request);
  };
  const interceptors = [connect, ...createInterceptors(undefined, { audit })];
  return createClient(JobService, createRouterTransport(createRoutes(new FakeEngine()), { router: { interceptors } }));
}

Deno.test("a caller whose certificate is refused is recorded as a claim, in unary calls and streams", async () => {
  const audit = new FakeSink();
  const jobs = clientOf(audit, () => {
    const error = new AuthError("unauthenticated", "Cannot accept it");
    error.claimed = { name: "bob", serial: "4A" };
    throw error;
  });
  assert.equal(await codeOf(jobs.getJob({ id: "a" })), "Unauthenticated");
  assert.equal(await codeOf(drain(jobs.watchJob({ id: "a" }))), "Unauthenticated");
  assert.equal(audit.entries.length, 2);
  const [{ request, ...unary }, stream] = audit.entries as [CallEntry, CallEntry];
  assert.match(request, /^[0-9a-f-]{36}$/);
  assert.deepEqual(unary, {
    claimed_name: "bob",
    claimed_serial: "4A",
    method: "joblet.v1.JobService/GetJob",
    object: "a",
    decision: "denied",
    code: "UNAUTHENTICATED",
    peer: "192.0.2.7:51000",
  });
  assert.deepEqual([stream.method, stream.code], ["joblet.v1.JobService/WatchJob", "UNAUTHENTICATED"]);
});

Deno.test("records hold nothing of what a request contains, and no more than an id's length of what it names", async () => {
  const audit = new FakeSink();
  const { as } = setUp({ audit });
  const alice = as("alice", "admin");
  const spec = {
    command: "TOPSECRET",
    args: ["TOPSECRET"],
    name: "TOPSECRET",
    env: { TOPSECRET: "TOPSECRET" },
    labels: { TOPSECRET: "TOPSECRET" },
    secretEnv: { A: "TOPSECRET" },
    secretFiles: { a: new TextEncoder().encode("TOPSECRET") },
  };
  await codeOf(alice.runJob({ spec, idempotencyKey: "TOPSECRET" }));
  await codeOf(as("eve", "viewer").runJob({ spec }));
  await codeOf(alice.stopJob({ id: "x".repeat(100_000) }));
  assert.equal(audit.entries.length, 3);
  assert(!JSON.stringify(audit.entries).includes("TOPSECRET"));
  assert.equal(audit.entries[2]!.object!.length, 128);
});

Deno.test("while no record can be written, jobs don't start, but stop, and who may not is told that first", async () => {
  const audit = new FakeSink();
  const { engine, as } = setUp({ audit });
  const { id } = engine.add("alice", { state: "running", startedAt: new Date() });
  audit.failure = new EngineError("exhausted", "Cannot start or arrange anything: the disk is full");
  const alice = as("alice", "user");
  assert.equal(await codeOf(alice.runJob({ spec: { command: "x" } })), "ResourceExhausted");
  assert.equal(await codeOf(as("eve", "viewer").runJob({ spec: { command: "x" } })), "PermissionDenied");
  assert.equal(await codeOf(alice.getJob({ id })), "OK");
  assert.equal(await codeOf(alice.stopJob({ id })), "OK");
  assert.equal(await codeOf(alice.deleteJob({ id })), "OK");
  assert.deepEqual(engine.inputs, []);
});

Deno.test("with hideForeignJobs a foreign job is answered as an unknown one, word for word, and denied in the records", async () => {
  const audit = new FakeSink();
  const { engine, as } = setUp({ audit, hideForeignJobs: true });
  const { id } = engine.add("alice", { state: "running", startedAt: new Date() });
  const bob = as("bob", "user");
  const ref = id.slice(0, 13);
  const calls: readonly ((id: string) => Promise<unknown>)[] = [
    (id) => bob.getJob({ id }),
    (id) => bob.stopJob({ id }),
    (id) => bob.cancelJob({ id }),
    (id) => bob.deleteJob({ id }),
    (id) => drain(bob.watchJob({ id })),
    (id) => drain(bob.streamLogs({ id })),
  ];
  const messageOf = (call: Promise<unknown>) => call.then(() => "OK", String);
  for (const call of calls) {
    assert.equal(await messageOf(call(ref)), `ConnectError: [not_found] Cannot find job '${ref}'`);
    assert.equal((await messageOf(call("ffff-none"))).replace("ffff-none", ref), await messageOf(call(ref)));
  }
  const denied = audit.entries.filter(({ decision }) => decision === "denied");
  assert.equal(denied.length, 2 * calls.length);
  assert(denied.every(({ object, code }) => object === id && code === "PERMISSION_DENIED"));
  assert.equal(await codeOf(as("alice", "user").getJob({ id })), "OK");
});

Deno.test("objects are read off the messages of all packages by the names of their fields", () => {
  assert.equal(namedIn(create(DeleteJobRequestSchema, { id: "a" })), "a");
  assert.equal(namedIn({ uuid: "b" }), "b");
  assert.equal(namedIn({ jobUuid: "c", id: "" }), "c");
  assert.equal(namedIn({ name: "net", id: 5 }), "net");
  assert.equal(namedIn({ runtime: "python" }), "python");
  assert.equal(namedIn({ command: "x", environment: { id: "y" } }), undefined);
  assert.equal(answeredIn(create(OldRunJobResponse, { jobUuid: "d" })), "d");
  assert.equal(answeredIn({ job: { id: "e" }, id: "f" }), "e");
  assert.equal(answeredIn(create(DeleteJobsResponseSchema, { deleted: 3n })), "3 jobs");
  assert.equal(answeredIn({ deletedCount: 0, message: "none" }), "0 jobs");
  assert.equal(answeredIn({ output: "x" }), undefined);
});
