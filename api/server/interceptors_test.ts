import assert from "node:assert/strict";
import { Code, ConnectError, createClient, createRouterTransport, type Interceptor } from "@connectrpc/connect";
import { EngineError, type EngineErrorKind } from "../../core/errors.ts";
import { type LogFormat, setUpLogging } from "../../core/std_log.ts";
import { JobService } from "../../proto/gen/joblet/v1/job_pb.ts";
import { peerKey } from "../auth/context.ts";
import { createInterceptors } from "./interceptors.ts";
import { createRoutes } from "./routes.ts";
import { FakeEngine, piece } from "../testing/fake_engine.ts";
import { codeOf, drain, setUp } from "../testing/in_memory.ts";

/** Collects log lines of a body. */
async function logged(format: LogFormat, body: () => Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  setUpLogging({ format, level: "info", write: (line) => lines.push(new TextDecoder().decode(line)) });
  try {
    await body();
  } finally {
    setUpLogging({ write: () => {} });
  }
  return lines;
}

Deno.test("engine errors become the right codes with their message, unknown ones INTERNAL without it", async () => {
  const { engine, as } = setUp();
  const alice = as("alice", "user");
  const table: Record<EngineErrorKind, Code> = {
    invalid: Code.InvalidArgument,
    not_found: Code.NotFound,
    forbidden: Code.PermissionDenied,
    precondition: Code.FailedPrecondition,
    conflict: Code.Aborted,
    exhausted: Code.ResourceExhausted,
    unavailable: Code.Unavailable,
  };
  for (const [kind, code] of Object.entries(table)) {
    engine.nextError = new EngineError(kind as EngineErrorKind, `Cannot, ${kind}`);
    const error = await alice.runJob({ spec: { command: "x" } }).then(() => assert.fail(), ConnectError.from);
    assert.equal(error.code, code, kind);
    assert.equal(error.rawMessage, `Cannot, ${kind}`);
  }
  const lines = await logged("json", async () => {
    engine.nextError = new Error("secret path /x");
    const error = await alice.runJob({ spec: { command: "x" } }).then(() => assert.fail(), ConnectError.from);
    assert.equal(error.code, Code.Internal);
    assert.match(error.rawMessage, /^Cannot answer: internal error, see request [0-9a-f-]{36} in the server's log$/);
  });
  const failure = lines.find((line) => line.includes("Request failed"));
  assert.match(failure ?? "", /secret path/);
  const id = /"request":"([^"]+)"/.exec(failure ?? "")?.[1];
  assert.ok(id && lines.filter((line) => line.includes(id)).length === 2, "the failure and the call share their id");
});

Deno.test("an error in the middle of a stream becomes a code as well", async () => {
  const { engine, as } = setUp();
  const { id } = engine.add("alice", { state: "running", startedAt: new Date() });
  engine.logError = new EngineError("exhausted", "Cannot read on: the journal is gone");
  assert.equal(await codeOf(drain(as("alice", "user").streamLogs({ id }))), "ResourceExhausted");
  engine.logError = new TypeError("x is not a function");
  const lines = await logged("json", async () => {
    assert.equal(await codeOf(drain(as("alice", "user").streamLogs({ id }))), "Internal");
  });
  assert.match(lines.join(""), /x is not a function/);
});

Deno.test("a call without a peer, or with an expired one, is UNAUTHENTICATED before anything else", async () => {
  const engine = new FakeEngine();
  const router = { interceptors: createInterceptors() };
  const jobs = createClient(JobService, createRouterTransport(createRoutes(engine), { router }));
  assert.equal(await codeOf(jobs.runJob({ spec: { command: "x" } })), "Unauthenticated");
  assert.equal(await codeOf(drain(jobs.streamLogs({ id: "a" }))), "Unauthenticated");
  const expired: Interceptor = (next) => (request) => {
    request.contextValues.set(
      peerKey,
      () => ({ name: "bob", role: "admin", serial: "01", expiresAtMs: Date.now() - 1 }),
    );
    return next(request);
  };
  const late = createRouterTransport(createRoutes(engine), {
    router: { interceptors: [expired, ...router.interceptors] },
  });
  assert.equal(await codeOf(createClient(JobService, late).runJob({ spec: { command: "x" } })), "Unauthenticated");
  assert.deepEqual(engine.inputs, []);
});

Deno.test("the request log tells method, name and code and neither command, environment nor output", async () => {
  const { engine, as } = setUp();
  engine.pieces = [piece(0, "TOPSECRET")];
  const lines = await logged("json", async () => {
    const alice = as("alice", "user");
    const { job } = await alice.runJob({ spec: { command: "TOPSECRET", env: { KEY: "TOPSECRET" } } });
    await drain(alice.streamLogs({ id: job!.id }));
    await codeOf(alice.getJob({ id: "ffff" }));
  });
  assert.equal(lines.length, 3);
  assert.match(lines[0]!, /"method":"joblet\.v1\.JobService\/RunJob".*"name":"alice".*"code":"OK".*"ms":[\d.]+/);
  assert.match(lines[1]!, /"method":"joblet\.v1\.JobService\/StreamLogs".*"code":"OK"/);
  assert.match(lines[2]!, /"method":"joblet\.v1\.JobService\/GetJob".*"code":"NotFound"/);
  assert.ok(!lines.join("").includes("TOPSECRET"));
});
