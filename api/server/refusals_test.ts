import assert from "node:assert/strict";
import { createClient } from "@connectrpc/connect";
import { JobService } from "../../proto/gen/joblet/v1/job_pb.ts";
import { createClientCertificate, createTestAuthority } from "../testing/certificates.ts";
import { codeOf } from "../testing/in_memory.ts";
import { createRefusals, type Refusal } from "../testing/refusals.ts";
import { type ClientPair, exchange, TestServer } from "../testing/server.ts";

const GET = "GET / HTTP/1.1\r\nHost: joblet\r\nConnection: close\r\n\r\n";

const refusals = await createRefusals(await createTestAuthority());
const alice = await createClientCertificate(refusals.authority.ca, "alice", "user", 1);

Deno.test("a client with a right certificate gets in, so the refusals below are about the certificate", async () => {
  await using server = await TestServer.start(refusals.authority);
  assert.equal(await exchange(server.tls(alice), "secureConnect", GET), "HTTP/1.1 404 Not Found");
  assert.equal(await codeOf(createClient(JobService, server.grpc(alice)).listJobs({})), "OK");
});

/** The code that the command line's kind of call, Connect over HTTP/1.1, ends with. */
async function codeOverHttp1(server: TestServer, { cert, key }: ClientPair): Promise<string> {
  const caCerts = [refusals.authority.tls.ca];
  using client = Deno.createHttpClient({ cert, key, caCerts, http2: false });
  const headers = { "content-type": "application/json" };
  const init: RequestInit & { client: Deno.HttpClient } = { method: "POST", headers, body: "{}", client };
  const answer = await fetch(`${server.url}/joblet.v1.JobService/ListJobs`, init);
  return (await answer.json()).code;
}

const ON_THE_WIRE = { Unauthenticated: "unauthenticated", PermissionDenied: "permission_denied" } as const;

/** One record for each call that was denied, none for a connection that reached no method. */
function assertRecords({ records }: TestServer, code: Refusal["code"]): void {
  const methods = code === undefined ? [] : ["ListJobs", "RunJob", "ListJobs"];
  assert.deepEqual(records.map(({ method }) => method), methods.map((method) => `joblet.v1.JobService/${method}`));
  const status = code === "PermissionDenied" ? "PERMISSION_DENIED" : "UNAUTHENTICATED";
  for (const record of records) {
    assert.deepEqual([record.decision, record.code, record.name], ["denied", status, undefined]);
    assert.match(record.claimed_serial ?? "", /^[0-9A-F]+$/);
    assert.match(record.peer ?? "", /^127\.0\.0\.1:\d+$/);
  }
}

for (const { what, client, options, handshake, code } of refusals.table) {
  Deno.test(`a client with ${what} ${handshake ? "is refused by TLS" : `gets ${code}, and a record of it is kept`}`, async () => {
    await using server = await TestServer.start(refusals.authority);
    const outcome = await exchange(server.tls({ ...client, ...options }), "secureConnect", GET);
    assert.match(outcome, handshake ?? /^HTTP\/1\.1 404/);
    const { cert, key } = client;
    if (code !== undefined && cert !== undefined && key !== undefined) {
      const jobs = createClient(JobService, server.grpc({ cert, key }));
      assert.equal(await codeOf(jobs.listJobs({})), code);
      assert.equal(await codeOf(jobs.runJob({ spec: { command: "id" } })), code);
      assert.equal(await codeOverHttp1(server, { cert, key }), ON_THE_WIRE[code]);
    }
    assert.deepEqual([server.engine.inputs, server.engine.queries], [[], []]);
    assertRecords(server, code);
    assert.equal(await codeOf(createClient(JobService, server.grpc(alice)).listJobs({})), "OK");
  });
}
