import assert from "node:assert/strict";
import { fakeCli } from "../testing/fake_cli.ts";
import type { ListedCertificate } from "../host.ts";

const notAfter = new Date("2027-02-19T00:00:00Z");
const certificate = (values: Partial<ListedCertificate>): ListedCertificate => ({
  kind: "client",
  name: "alice",
  role: "user",
  serial: "4A01",
  notAfter: notAfter.toISOString(),
  status: "valid",
  days: 90,
  ...values,
});

Deno.test("certs client and renew say what was written and when it ends", async () => {
  const asked: unknown[] = [];
  const issue = (options: unknown) => {
    asked.push(options);
    return Promise.resolve({ files: ["/c/a.yml"], notAfter });
  };
  const cli = fakeCli({}, { host: { certsClient: issue, certsRenew: issue } });
  assert.equal(await cli.run("certs", "client", "alice", "--role", "viewer", "--pem", "/p", "--days", "5"), 0);
  assert.equal(await cli.run("certs", "renew", "--server"), 0);
  assert.equal(cli.out().split("\n")[1], "alice's certificate is valid until 2027-02-19");
  assert.match(cli.out(), /^wrote \/c\/a\.yml\n[^]*the server's certificate is valid until 2027-02-19\n$/);
  const [client, server] = asked as { role?: string; pemFolder?: string; days?: number; name?: string }[];
  assert.deepEqual([client!.name, client!.role, client!.pemFolder, client!.days], ["alice", "viewer", "/p", 5]);
  assert.equal(server!.name, undefined);
});

Deno.test("certs list is a table with warnings of what ends, or JSON", async () => {
  const certificates = [
    certificate({ status: "expired", days: -3 }),
    certificate({ serial: "4A02" }),
    certificate({ kind: "server", name: "joblet", role: undefined, status: "ends soon", days: 9 }),
    certificate({ name: "eve", status: "revoked" }),
  ];
  const cli = fakeCli({}, { host: { certsList: () => Promise.resolve(certificates) } });
  assert.equal(await cli.run("certs", "list"), 0);
  assert.deepEqual(cli.out().split("\n").map((line) => line.split(/ {2,}/)), [
    ["NAME", "ROLE", "SERIAL", "EXPIRES", "STATUS"],
    ["alice", "user", "4A01", "2027-02-19", "expired"],
    ["alice", "user", "4A02", "2027-02-19", "valid"],
    ["joblet", "server", "4A01", "2027-02-19", "expires in 9 days"],
    ["eve", "user", "4A01", "2027-02-19", "revoked"],
    [""],
  ]);
  assert.equal(
    cli.err(),
    "joblet: warning: the certificate of joblet (server) expires in 9 days: run 'joblet certs renew --server'\n",
  );
  const json = fakeCli({}, { host: { certsList: () => Promise.resolve(certificates) } });
  await json.run("certs", "list", "--json");
  assert.equal(JSON.parse(json.out()).length, 4);
});

Deno.test("certs renew, revoke and rotate-ca refuse words that do not fit together, with code 2", async () => {
  for (
    const words of [
      ["renew"],
      ["renew", "alice", "--server"],
      ["renew", "--server", "--out", "x"],
      ["revoke"],
      ["revoke", "alice", "--serial", "4A01"],
      ["rotate-ca", "again"],
      ["rotate-ca", "begin", "--force"],
    ]
  ) {
    const cli = fakeCli({});
    assert.equal(await cli.run("certs", ...words), 2, words.join(" "));
    assert.match(cli.err(), /^joblet: Cannot /);
  }
});

Deno.test("certs rotate-ca says what comes next and who has to renew", async () => {
  const rotation = { phase: "switched", files: ["/c/ca"], waitingFor: ["alice", "bob"] } as const;
  const cli = fakeCli({}, { host: { certsRotate: () => Promise.resolve(rotation) } });
  assert.equal(await cli.run("certs", "rotate-ca", "switch"), 0);
  assert.match(cli.out(), /^wrote \/c\/ca\n[^]*next: 'joblet certs renew NAME' for alice, bob\n/);
});
