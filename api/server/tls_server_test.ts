import assert from "node:assert/strict";
import { connect as http2Connect } from "node:http2";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { EngineError } from "../../core/errors.ts";
import { Health, HealthCheckResponse_ServingStatus as Serving } from "../../proto/gen/grpc/health/v1/health_pb.ts";
import { JobService, JobState } from "../../proto/gen/joblet/v1/job_pb.ts";
import { createRevocationList } from "../certs/x509.ts";
import type { TlsConfig } from "../config/tls_config.ts";
import { ROLE_SOURCES } from "../auth/role.ts";
import {
  createClientCertificate,
  createCustomCertificate,
  createTestAuthority,
  SERVER_AUTH,
} from "../testing/certificates.ts";
import { FakeEngine, piece } from "../testing/fake_engine.ts";
import { exchange, TestServer } from "../testing/server.ts";
import { startServer } from "./tls_server.ts";

const GET = "GET / HTTP/1.1\r\nHost: joblet\r\nConnection: close\r\n\r\n";

const authority = await createTestAuthority();
const alice = await createClientCertificate(authority.ca, "alice", "user", 1);

async function isServing(server: TestServer): Promise<boolean> {
  const { status } = await createClient(Health, server.grpc(alice)).check({}, { timeoutMs: 5000 });
  return status === Serving.SERVING;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(() => "OK", (error) => Code[ConnectError.from(error).code] ?? "?");
}

Deno.test("startServer speaks gRPC, gRPC-web and Connect on one port, unary and streaming", async (t) => {
  await using server = await TestServer.start(authority);
  server.engine.pieces = [piece(0, "out"), piece(9, "err", "stderr")];
  for (const [protocol, transport] of Object.entries(server.transports(alice))) {
    await t.step(protocol, async () => {
      const jobs = createClient(JobService, transport);
      const { job } = await jobs.runJob({ spec: { command: "echo", args: ["a b"] } });
      assert.equal(job?.owner, "alice");
      assert.equal(job?.state, JobState.RUNNING);
      const texts: string[] = [];
      for await (const message of jobs.streamLogs({ id: job!.id })) {
        for (const frame of message.frames) texts.push(new TextDecoder().decode(frame.data));
        if (message.endedJob) assert.equal(message.endedJob.id, job!.id);
      }
      assert.deepEqual(texts, ["out", "err"]);
      assert.equal(await codeOf(jobs.getJob({ id: "ffff" })), "NotFound");
    });
  }
});

Deno.test("startServer outlives garbage at every layer", async (t) => {
  await using server = await TestServer.start(authority);
  const noise = crypto.getRandomValues(new Uint8Array(4096));
  const cases: Record<string, () => Promise<unknown>> = {
    "noise instead of TLS": () => exchange(server.tcp(), "connect", noise),
    "plain HTTP": () => exchange(server.tcp(), "connect", GET),
    "noise instead of HTTP/1.1": () => exchange(server.tls(alice), "secureConnect", noise),
    "noise instead of HTTP/2": () => exchange(server.tls({ ...alice, ALPNProtocols: ["h2"] }), "secureConnect", noise),
    "a host that is none": () =>
      exchange(
        server.tls(alice),
        "secureConnect",
        "POST /joblet.v1.JobService/GetJob HTTP/1.1\r\nHost: a b[\r\nContent-Length: 0\r\n\r\n",
      ),
    "no host": () => exchange(server.tls(alice), "secureConnect", "POST /joblet.v1.JobService/GetJob HTTP/1.0\r\n\r\n"),
    "a path that is none": () => exchange(server.tls(alice), "secureConnect", GET.replace("/", "//[")),
    "a request that is cut off": () =>
      new Promise<void>((resolve) => {
        const socket = server.tls(alice);
        socket.once("close", resolve);
        socket.once("secureConnect", () => {
          const head =
            "POST /joblet.v1.JobService/RunJob HTTP/1.1\r\nHost: joblet\r\nContent-Type: application/proto\r\n";
          socket.write(`${head}Content-Length: 1000\r\n\r\nabc`, () => socket.destroy());
        });
      }),
  };
  for (const [what, attack] of Object.entries(cases)) {
    await t.step(what, async () => {
      await attack();
      assert.ok(await isServing(server));
    });
  }
});

/** Sends bytes as a gRPC request and tells the gRPC status, or "none" if the stream ends without. */
async function callGrpc(
  server: TestServer,
  method: string,
  body: Uint8Array,
  type = "application/grpc",
): Promise<string> {
  const session = http2Connect(server.url, server.nodeOptions(alice));
  const closed = new Promise((resolve) => session.once("close", resolve));
  try {
    return await new Promise<string>((resolve, reject) => {
      session.once("error", reject);
      const path = `/joblet.v1.JobService/${method}`;
      const stream = session.request({ ":method": "POST", ":path": path, "content-type": type, "te": "trailers" });
      let status = "none";
      const read = (headers: Record<string, unknown>) => status = String(headers["grpc-status"] ?? status);
      stream.on("response", read).on("trailers", read).on("error", () => {}).on("data", () => {});
      stream.once("close", () => resolve(status));
      stream.end(body);
    });
  } finally {
    session.destroy();
    await closed;
  }
}

/** A message in JSON behind gRPC's five bytes. */
function framed(message: unknown): Uint8Array {
  const bytes = new TextEncoder().encode(JSON.stringify(message));
  return new Uint8Array([0, 0, 0, 0, bytes.length, ...bytes]);
}

Deno.test("startServer refuses malformed and oversized messages with a status", async () => {
  await using server = await TestServer.start(authority);
  const noise = new Uint8Array(64).fill(0xff);
  // The gRPC status that other implementations, too, give to what is no message.
  assert.equal(await callGrpc(server, "RunJob", new Uint8Array([0, 0, 0, 0, 64, ...noise])), String(Code.Internal));
  const tooLong = new Uint8Array((4 << 20) + 6);
  new DataView(tooLong.buffer).setUint32(1, tooLong.length - 5);
  assert.equal(await callGrpc(server, "RunJob", tooLong), String(Code.ResourceExhausted));
  assert.notEqual(await callGrpc(server, "RunJob", new Uint8Array([0, 0, 0, 1])), "0");
  assert.notEqual(await callGrpc(server, "RunJob", new Uint8Array()), "0");
  assert.deepEqual(server.engine.inputs, []);
  assert.ok(await isServing(server));
});

Deno.test("startServer frees a stream whose client is killed, over HTTP/2 and HTTP/1.1", async () => {
  await using server = await TestServer.start(authority);
  const job = server.engine.add("alice", { state: "running", startedAt: new Date() });
  server.engine.pieces = [piece(0, "x")];
  const session = http2Connect(server.url, server.nodeOptions(alice));
  const stream = session.request({
    ":method": "POST",
    ":path": "/joblet.v1.JobService/StreamLogs",
    "content-type": "application/grpc+json",
  });
  stream.on("error", () => {}).end(framed({ id: job.id, follow: true }));
  await new Promise((resolve) => stream.once("data", resolve));
  assert.equal(server.engine.openStreams, 1);
  session.destroy();
  await server.engine.streamsAre(0);

  const socket = server.tls(alice);
  const frame = framed({ id: job.id });
  socket.once("secureConnect", () => {
    socket.write(
      "POST /joblet.v1.JobService/WatchJob HTTP/1.1\r\nHost: joblet\r\n" +
        `Content-Type: application/connect+json\r\nContent-Length: ${frame.length}\r\n\r\n`,
    );
    socket.write(frame);
  });
  socket.on("error", () => {});
  await server.engine.streamsAre(1);
  socket.destroy();
  await server.engine.streamsAre(0);
});

Deno.test("close ends open streams with UNAVAILABLE, lets a unary call finish and accepts nobody any more", async () => {
  await using server = await TestServer.start(authority);
  const { engine } = server;
  const job = engine.add("alice", { state: "running", startedAt: new Date() });
  const watching = callGrpc(server, "WatchJob", framed({ id: job.id }), "application/grpc+json");
  const jobs = createClient(JobService, server.transports(alice)["Connect over HTTP/1.1"]!);
  const readLogs = async () => {
    for await (const _batch of jobs.streamLogs({ id: job.id, follow: true })) continue;
  };
  const reading = codeOf(readLogs());
  const slow = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const stop = engine.stop.bind(engine);
  engine.stop = async (ref, options) => {
    started.resolve();
    await slow.promise;
    return await stop(ref, options);
  };
  const stopping = jobs.stopJob({ id: job.id });
  await Promise.all([engine.streamsAre(2), started.promise]);

  const closed = server.running.close(10_000);
  assert.equal(await watching, String(Code.Unavailable));
  assert.equal(await reading, "Unavailable");
  slow.resolve();
  assert.equal((await stopping).job?.state, JobState.STOPPED);
  await closed;
  assert.match(await exchange(server.tls(alice), "secureConnect", GET), /ECONNREFUSED/);
});

Deno.test("close cuts off what has not ended after the grace: a call, a half-open handshake, an idle connection", async () => {
  await using server = await TestServer.start(authority);
  const { engine } = server;
  const started = Promise.withResolvers<void>();
  engine.run = () => {
    started.resolve();
    return new Promise(() => {});
  };
  const silent = server.tcp();
  const idle = server.tls(alice);
  const isOver = [silent, idle].map((socket) =>
    new Promise((resolve) => socket.on("error", () => {}).once("close", resolve))
  );
  await Promise.all([
    new Promise((resolve) => silent.once("connect", resolve)),
    new Promise((resolve) => idle.once("secureConnect", resolve)),
  ]);
  const running = callGrpc(server, "RunJob", framed({ spec: { command: "x" } }), "application/grpc+json");
  await started.promise;
  await server.running.close(50);
  await Promise.all(isOver);
  assert.equal(await running, "none");
});

Deno.test("startServer refuses to start when its certificates are wrong, and says which", async (t) => {
  const other = await createTestAuthority();
  const past = await createCustomCertificate(authority.ca, {
    usages: [SERVER_AUTH],
    notBefore: new Date(Date.now() - 7_200_000),
    notAfter: new Date(Date.now() - 3_600_000),
  });
  const list = await createRevocationList(other.ca, []);
  const torn = list.replace(/.{8}\n-----END/, "AAAAAAAA\n-----END");
  const cases: [string, TlsConfig, RegExp][] = [
    ["a revocation list of another CA", { ...authority.tls, crl: list }, /revocation list: it is not signed by/],
    ["a damaged revocation list", { ...authority.tls, crl: torn }, /revocation list/],
    ["key of another certificate", { ...authority.tls, key: other.tls.key }, /serverKey is not the key of/],
    ["another CA", { ...authority.tls, ca: other.tls.ca }, /serverCert was not issued by security.caCert/],
    ["no CA", { ...authority.tls, ca: authority.tls.cert }, /caCert is not the certificate of a CA/],
    ["expired", { ...authority.tls, cert: past.cert, key: past.key }, /serverCert expired on .*certs renew --server/],
    ["garbage", { ...authority.tls, cert: "-----BEGIN CERTIFICATE-----" }, /serverCert can't be read/],
    ["garbage key", { ...authority.tls, key: "-----BEGIN PRIVATE KEY-----" }, /serverKey can't be read/],
  ];
  for (const [what, tls, expected] of cases) {
    await t.step(what, async () => {
      const config = { address: "127.0.0.1", port: 0, tls, roleSources: ROLE_SOURCES };
      await assert.rejects(startServer({ engine: new FakeEngine(), config }), (error) => {
        assert.ok(error instanceof EngineError);
        assert.match(error.message, expected);
        return true;
      });
    });
  }
});

Deno.test("startServer names the port that is in use", async () => {
  await using server = await TestServer.start(authority);
  const config = { address: "127.0.0.1", port: server.port, tls: authority.tls, roleSources: ROLE_SOURCES };
  await assert.rejects(startServer({ engine: new FakeEngine(), config }), {
    name: "EngineError",
    message: new RegExp(
      `^Cannot listen on 127\\.0\\.0\\.1:${server.port}: the port is in use; stop what uses it or change `,
    ),
  });
});
