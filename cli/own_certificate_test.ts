import assert from "node:assert/strict";
import { CLIENT_AUTH, createCustomCertificate, createTestAuthority } from "../api/testing/certificates.ts";
import { createRefusals } from "../api/testing/refusals.ts";
import { TestServer } from "../api/testing/server.ts";
import { connectTo } from "./client.ts";
import { describeError } from "./errors.ts";

const refusals = await createRefusals(await createTestAuthority());
const { authority } = refusals;
const HOUR_MS = 3_600_000;

/** The line that a command shows after a call with this certificate. */
async function lineFor(server: TestServer, { cert, key }: { cert: string; key: string }): Promise<string> {
  const address = `localhost:${server.port}`;
  // A client that trusts two CAs, as during an exchange.
  const ca = (await createTestAuthority()).tls.ca + authority.tls.ca;
  using connection = connectTo({ name: "default", nodeId: "", address, cert, key, ca, certFile: "/c/rnx-config.yml" });
  return await connection.jobs.listJobs({}).then(() => "OK", (error) => describeError(error, address).message);
}

Deno.test("a call with a certificate that has expired, or is not valid yet, names it and the cure", async () => {
  await using server = await TestServer.start(authority);
  const made = (from: number, to: number) =>
    createCustomCertificate(authority.ca, {
      usages: [CLIENT_AUTH],
      subject: [{ OU: ["user"] }, { CN: ["alice"] }],
      notBefore: new Date(Date.now() + from * HOUR_MS),
      notAfter: new Date(Date.now() + to * HOUR_MS),
    });
  const whose = `Cannot log in at localhost:${server.port}: the certificate of 'alice' in /c/rnx-config.yml`;
  assert.equal(await lineFor(server, await made(-1, 1)), "OK");
  const expired = await made(-48, -24);
  assert.equal(
    await lineFor(server, expired),
    `${whose} expired on ${expired.notAfter.toISOString().slice(0, 10)}; ` +
      "get a new one with 'joblet certs renew alice' on the server",
  );
  assert.ok((await lineFor(server, await made(24, 48))).startsWith(`${whose} is not valid before `));
});

Deno.test("a call that the server refuses says why, or what may be the reason", async () => {
  await using server = await TestServer.start(authority);
  const pairOf = (text: string) => {
    const { cert, key } = refusals.table.find(({ what }) => what === text)!.client;
    assert.ok(cert && key);
    return { cert, key };
  };
  assert.equal(
    await lineFor(server, pairOf("a revoked certificate")),
    `Cannot log in at localhost:${server.port}: Cannot accept the client certificate of 'eve': it has been revoked; ` +
      "check the certificate in your rnx-config.yml",
  );
  assert.match(
    await lineFor(server, pairOf("a certificate of a foreign CA of the same name")),
    /^Cannot log in at localhost:\d+: .* may be revoked or from another CA, or the server has just ended$/,
  );
});
