import assert from "node:assert/strict";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { createClientCertificate, createTestAuthority } from "../testing/certificates.ts";
import { piece } from "../testing/fake_engine.ts";
import { TestServer } from "../testing/server.ts";

const PIECE_BYTES = 64 * 1024;
const PIECES = 512;

const authority = await createTestAuthority();
const alice = await createClientCertificate(authority.ca, "alice", "user", 1);

/** A server whose jobs have 32 MiB of output each; `produced` counts what was asked of the engine by job. */
async function startTalkative() {
  const server = await TestServer.start(authority);
  const produced = new Map<string, number>();
  server.engine.logs = async function* (id) {
    const { data } = piece(0, "x".repeat(PIECE_BYTES));
    for (let offset = 0; offset < PIECES; offset++) {
      produced.set(id, offset + 1);
      yield await Promise.resolve({ pieces: [{ ...piece(offset, ""), data }], attempt: 1, nextOffset: offset + 1 });
    }
  };
  const newJob = () => server.engine.add("alice", { state: "running", startedAt: new Date() }).id;
  return { server, produced, newJob };
}

function readLogs(session: ClientHttp2Session, id: string): ClientHttp2Stream {
  const body = new TextEncoder().encode(JSON.stringify({ id }));
  const stream = session.request({
    ":method": "POST",
    ":path": "/joblet.v1.JobService/StreamLogs",
    "content-type": "application/grpc+json",
  });
  stream.end(new Uint8Array([0, 0, 0, 0, body.length, ...body]));
  return stream;
}

function bytesOf(stream: ClientHttp2Stream): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    stream.on("data", (data: Uint8Array) => bytes += data.length);
    stream.once("end", () => resolve(bytes));
    stream.once("error", reject);
  });
}

Deno.test("a stalled HTTP/2 reader gets no more than its windows hold, holds up nobody, and misses nothing in the end", async () => {
  const { server, produced, newJob } = await startTalkative();
  await using _server = server;
  const session = connect(server.url, server.nodeOptions(alice));
  const closed = new Promise((resolve) => session.once("close", resolve));
  try {
    await new Promise((resolve) => session.once("connect", resolve));
    // Room beside the stalled stream's window, or the connection's own window would hold up both.
    session.setLocalWindowSize(4 << 20);
    const [slow, quick] = [newJob(), newJob()];
    const stalled = readLogs(session, slow);
    await new Promise((resolve) => stalled.once("response", resolve));
    assert.ok(await bytesOf(readLogs(session, quick)) > PIECES * PIECE_BYTES);
    assert.equal(produced.get(quick), PIECES);
    assert.ok(produced.get(slow)! < 32, `${produced.get(slow)} pieces were made for a reader that reads nothing`);
    assert.ok(await bytesOf(stalled) > PIECES * PIECE_BYTES);
    assert.equal(produced.get(slow), PIECES);
  } finally {
    session.destroy();
    await closed;
  }
});

Deno.test("a stalled HTTP/2 reader that leaves frees its stream", async () => {
  const { server, produced, newJob } = await startTalkative();
  await using _server = server;
  const ended = Promise.withResolvers<void>();
  const logs = server.engine.logs.bind(server.engine);
  server.engine.logs = async function* (id, query, signal) {
    try {
      yield* logs(id, query, signal);
    } finally {
      ended.resolve();
    }
  };
  const session = connect(server.url, server.nodeOptions(alice));
  const closed = new Promise((resolve) => session.once("close", resolve));
  const id = newJob();
  const stream = readLogs(session, id);
  stream.on("error", () => {});
  await new Promise((resolve) => stream.once("response", resolve));
  session.destroy();
  await closed;
  await ended.promise;
  assert.ok(produced.get(id)! < PIECES);
});

Deno.test("a stalled HTTP/1.1 reader gets no more than the sockets hold", async () => {
  const { server, produced, newJob } = await startTalkative();
  await using _server = server;
  const [slow, quick] = [newJob(), newJob()];
  const { cert, key } = alice;
  const caCerts = [authority.tls.ca];
  const post = async (id: string) => {
    const socket = await Deno.connectTls({ hostname: "localhost", port: server.port, caCerts, cert, key });
    const body = JSON.stringify({ id });
    const head = "POST /joblet.v1.JobService/StreamLogs HTTP/1.1\r\nHost: joblet\r\nConnection: close\r\n" +
      `Content-Type: application/connect+json\r\nContent-Length: ${body.length + 5}\r\n\r\n`;
    const writer = socket.writable.getWriter();
    await writer.write(new TextEncoder().encode(head));
    await writer.write(new Uint8Array([0, 0, 0, 0, body.length, ...new TextEncoder().encode(body)]));
    writer.releaseLock();
    return socket;
  };
  // Nothing is read from this one but the first bytes.
  using stalled = await post(slow);
  await stalled.read(new Uint8Array(16));
  const other = await post(quick);
  for await (const _chunk of other.readable) continue;
  assert.equal(produced.get(quick), PIECES);
  assert.ok(produced.get(slow)! < PIECES / 2, `${produced.get(slow)} pieces were made for a reader that reads nothing`);
});
