import assert from "node:assert/strict";
import { connect } from "node:http2";
import type { TLSSocket } from "node:tls";
import { createClientCertificate, createTestAuthority } from "../testing/certificates.ts";
import { exchange, TestServer } from "../testing/server.ts";

const GET = "GET / HTTP/1.1\r\nHost: joblet\r\nConnection: close\r\n\r\n";
const authority = await createTestAuthority();
const alice = await createClientCertificate(authority.ca, "alice", "admin", 1);

/** The suite that this client settles on with a server that takes all. */
async function usualSuite(): Promise<string> {
  await using server = await TestServer.start(authority);
  const socket = server.tls(alice) as TLSSocket;
  await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  return socket.getCipher().standardName;
}

/** What a request over HTTP/2 meets. */
function askHttp2(server: TestServer): Promise<unknown> {
  const session = connect(server.url, server.nodeOptions(alice));
  return new Promise<unknown>((resolve) => {
    session.on("error", () => resolve("closed")).once("close", () => resolve("closed"));
    const request = session.request({ ":path": "/" });
    request.on("error", () => {}).once("response", (headers) => resolve(headers[":status"])).resume().end();
  }).finally(() => session.destroy());
}

Deno.test("a connection that settles on a cipher suite which is not allowed is ended", async () => {
  const usual = await usualSuite();
  const others = ["TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"]
    .filter((suite) => suite !== usual);
  assert.equal(others.length, 2, usual);
  {
    await using server = await TestServer.start(authority, { cipherSuites: [usual] });
    assert.equal(await exchange(server.tls(alice), "secureConnect", GET), "HTTP/1.1 404 Not Found");
    assert.equal(await askHttp2(server), 404);
  }
  await using server = await TestServer.start(authority, { cipherSuites: others });
  assert.match(await exchange(server.tls(alice), "secureConnect", GET), /^(closed|ECONNRESET)$/);
  assert.equal(await askHttp2(server), "closed");
  assert.deepEqual(server.records, []);
});
