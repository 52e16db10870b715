import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { connect as http2Connect } from "node:http2";
import type { TLSSocket } from "node:tls";
import { createClient } from "@connectrpc/connect";
import { JobService } from "../../proto/gen/joblet/v1/job_pb.ts";
import { serialOf } from "../certs/registry.ts";
import { createRevocationList } from "../certs/x509.ts";
import {
  CLIENT_AUTH,
  createClientCertificate,
  createCustomCertificate,
  createTestAuthority,
} from "../testing/certificates.ts";
import { codeOf } from "../testing/in_memory.ts";
import { type ClientPair, exchange, TestServer } from "../testing/server.ts";

const GET = "GET / HTTP/1.1\r\nHost: joblet\r\nConnection: close\r\n\r\n";
const FOUND = "HTTP/1.1 404 Not Found";

const before = await createTestAuthority();
const after = await createTestAuthority();
const alice = await createClientCertificate(before.ca, "alice", "admin", 1);
const bob = await createClientCertificate(before.ca, "bob", "admin", 1);
const carol = await createClientCertificate(after.ca, "carol", "admin", 1);
const bothCas = before.tls.ca + after.tls.ca;

/** The serial number that a new connection is shown. */
async function serverSerial(server: TestServer): Promise<string> {
  const socket = server.tls({ ...alice, ca: bothCas });
  await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  const { raw } = (socket as TLSSocket).getPeerCertificate();
  socket.destroy();
  return new X509Certificate(raw).serialNumber;
}

/** A followed log over HTTP/2, on a connection of its own; `ended` resolves when that is closed. */
async function follow(server: TestServer, client: ClientPair) {
  const job = server.engine.add("alice", { state: "running", startedAt: new Date() });
  const count = server.engine.openStreams;
  const session = http2Connect(server.url, { ...server.nodeOptions(client), ca: bothCas });
  const ended = new Promise((resolve) => session.on("error", () => {}).once("close", resolve));
  const path = "/joblet.v1.JobService/StreamLogs";
  const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc+json" });
  stream.on("error", () => {}).resume();
  stream.end(framed({ id: job.id, follow: true }));
  await server.engine.streamsAre(count + 1);
  return {
    ended,
    /** HTTP status of a request on the same connection. */
    ask: () =>
      new Promise<unknown>((resolve, reject) => {
        const request = session.request({ ":path": "/" });
        request.once("response", (headers) => resolve(headers[":status"])).once("error", reject).resume().end();
      }),
    [Symbol.asyncDispose]: async () => {
      session.destroy();
      await ended;
    },
  };
}

/** A message in JSON behind gRPC's five bytes. */
function framed(message: unknown): Uint8Array {
  const bytes = new TextEncoder().encode(JSON.stringify(message));
  return new Uint8Array([0, 0, 0, 0, bytes.length, ...bytes]);
}

/** A watched job over HTTP/1.1, as an open connection; `closed` resolves when that is. */
async function watchOverHttp1(server: TestServer, client: ClientPair): Promise<{ readonly closed: Promise<unknown> }> {
  const job = server.engine.add("alice", { state: "running", startedAt: new Date() });
  const count = server.engine.openStreams;
  const socket = server.tls(client);
  const closed = new Promise((resolve) => socket.on("error", () => {}).once("close", resolve));
  const body = framed({ id: job.id });
  socket.once("secureConnect", () => {
    const type = "Content-Type: application/connect+json";
    const path = "/joblet.v1.JobService/WatchJob";
    socket.write(`POST ${path} HTTP/1.1\r\nHost: joblet\r\n${type}\r\nContent-Length: ${body.length}\r\n\r\n`);
    socket.write(body);
  });
  socket.resume();
  await server.engine.streamsAre(count + 1);
  return { closed };
}

Deno.test("useTls shows new connections the new certificate, and still asks for one of theirs over TLS 1.3", async () => {
  await using server = await TestServer.start(before);
  const renewed = await createTestAuthority();
  await using open = await follow(server, alice);
  server.running.useTls({ ...renewed.tls, ca: before.tls.ca + renewed.tls.ca });
  const ca = before.tls.ca + renewed.tls.ca;
  assert.equal(await exchange(server.tls({ ...alice, ca }), "secureConnect", GET), FOUND);
  assert.match(await exchange(server.tls({ ...alice, ca: before.tls.ca }), "secureConnect", GET), /CERT|SIGNATURE/);
  assert.equal(await exchange(server.tls({ ca }), "secureConnect", GET), "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED");
  const old = { minVersion: "TLSv1.2", maxVersion: "TLSv1.2" } as const;
  const outcome = await exchange(server.tls({ ...alice, ca, ...old }), "secureConnect", GET);
  assert.equal(outcome, "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION");
  assert.equal(await open.ask(), 404, "an open connection goes on");
  assert.equal(server.engine.openStreams, 1);
});

Deno.test("useTls ends the connections of a revoked client, and of nobody else", async () => {
  await using server = await TestServer.start(before);
  await using mine = await follow(server, alice);
  await using theirs = await follow(server, bob);
  const { closed } = await watchOverHttp1(server, alice);
  const crl = await createRevocationList(before.ca, [{ serial: serialOf(alice.cert), date: new Date() }]);
  server.running.useTls({ ...before.tls, crl });
  await mine.ended;
  await closed;
  await server.engine.streamsAre(1);
  assert.equal(await theirs.ask(), 404);
  await assert.rejects(createClient(JobService, server.grpc(alice)).listJobs({}), {
    rawMessage: "Cannot accept the client certificate of 'alice': it has been revoked",
  });
  server.running.useTls(before.tls);
  assert.equal(await codeOf(createClient(JobService, server.grpc(alice)).listJobs({})), "OK");
});

Deno.test("useTls ends the connections of a CA that is trusted no more, and TLS refuses new ones", async () => {
  await using server = await TestServer.start(before);
  server.running.useTls({ ...before.tls, ca: bothCas });
  await using mine = await follow(server, alice);
  await using theirs = await follow(server, carol);
  server.running.useTls(after.tls);
  await mine.ended;
  await server.engine.streamsAre(1);
  assert.equal(await theirs.ask(), 404);
  const ca = after.tls.ca;
  assert.match(await exchange(server.tls({ ...alice, ca }), "secureConnect", GET), /^(closed|ECONNRESET)$/);
  assert.equal(await exchange(server.tls({ ...carol, ca }), "secureConnect", GET), FOUND);
});

Deno.test("useTls refuses what can't be used and stays with what it has", async () => {
  await using server = await TestServer.start(before);
  const serial = await serverSerial(server);
  const strange = await createRevocationList(after.ca, []);
  const wrong = [
    { ...before.tls, key: after.tls.key },
    { ...before.tls, ca: after.tls.ca },
    { ...before.tls, crl: strange },
    { ...before.tls, crl: "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n" },
  ];
  for (const tls of wrong) assert.throws(() => server.running.useTls(tls), { name: "EngineError" });
  assert.equal(await serverSerial(server), serial);
  assert.equal(await exchange(server.tls(alice), "secureConnect", GET), FOUND);
});

Deno.test("a connection whose client certificate expires while it is open is ended then", async () => {
  await using server = await TestServer.start(before);
  const brief = await createCustomCertificate(before.ca, {
    usages: [CLIENT_AUTH],
    notAfter: new Date(Date.now() + 2000),
  });
  await using mine = await follow(server, brief);
  await using theirs = await follow(server, alice);
  await mine.ended;
  await server.engine.streamsAre(1);
  assert.ok(Date.now() > new X509Certificate(brief.cert).validToDate.getTime());
  assert.equal(await theirs.ask(), 404);
});
