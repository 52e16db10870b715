/** The audit log of a real server, read and proven with `joblet audit`. */
import assert from "node:assert/strict";
import { requires } from "../harness/requires.ts";
import { TestServer } from "../harness/server.ts";

const root = requires("root", "cgroup2");

interface Printed {
  readonly seq: number;
  readonly name?: string;
  readonly role?: string;
  readonly serial?: string;
  readonly method: string;
  readonly object?: string;
  readonly decision: string;
  readonly code: string;
  readonly request: string;
  readonly peer: string;
}

async function records(server: TestServer, ...flags: string[]): Promise<Printed[]> {
  const { code, stdout, stderr } = await server.cli("audit", "--json", ...flags);
  assert.deepEqual([code, stderr], [0, ""]);
  return stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Printed);
}

function short({ name, method, object, decision, code }: Printed): unknown[] {
  return [name, method.split("/")[1], object, decision, code];
}

Deno.test({
  ...root,
  name:
    "audit tells who ran, stopped and was denied what, nothing of what was run, and its chain holds through kill -9",
}, async () => {
  await using server = await TestServer.start({ config: "auth: { hideForeignJobs: true }" });
  const bob = await server.newClient("bob", "user");
  const eve = await server.newClient("eve", "viewer");
  const id = await server.detach("--env", "TOKEN=TOPSECRET", "sh", "-c", ": TOPSECRET; exec sleep 600");
  assert.equal((await server.cli("status", id)).code, 0);
  const foreign = await server.cli("stop", ...bob, id);
  const unknown = await server.cli("stop", ...bob, "00000000-0000-4000-8000-000000000000");
  assert.equal(foreign.stderr.replace(id, "ID"), unknown.stderr.replace(/0{8}-[0-9a-f-]+/, "ID"));
  assert.equal((await server.cli("logs", ...bob, id)).code, 1);
  assert.equal((await server.cli("run", ...eve, "true")).code, 1);
  await server.end("SIGKILL");
  await server.launch();
  assert.equal((await server.cli("stop", "--signal", "KILL", id.slice(0, 8))).code, 0);
  assert.equal((await server.cli("rm", id.slice(0, 8))).code, 0);

  const found = await records(server);
  const unknownId = "00000000-0000-4000-8000-000000000000";
  assert.deepEqual(found.map(short), [
    ["admin", "RunJob", id, "allowed", "OK"],
    ["bob", "StopJob", id, "denied", "PERMISSION_DENIED"],
    ["bob", "StopJob", unknownId, "allowed", "NOT_FOUND"],
    ["bob", "StreamLogs", id, "denied", "PERMISSION_DENIED"],
    ["eve", "RunJob", undefined, "denied", "PERMISSION_DENIED"],
    ["admin", "StopJob", id, "allowed", "OK"],
    ["admin", "DeleteJob", id, "allowed", "OK"],
  ]);
  assert.deepEqual(found.map(({ seq }) => seq), [1, 2, 3, 4, 5, 6, 7]);
  for (const { role, serial, request, peer } of found) {
    assert.match(
      `${role} ${serial} ${request} ${peer}`,
      /^(admin|user|viewer) [0-9A-F]+ [0-9a-f-]{36} 127\.0\.0\.1:\d+$/,
    );
  }
  for (const { name } of Deno.readDirSync(`${server.home}/audit`)) {
    assert(!Deno.readTextFileSync(`${server.home}/audit/${name}`).includes("TOPSECRET"));
    assert.equal(Deno.statSync(`${server.home}/audit/${name}`).mode! & 0o777, 0o600);
  }
  assert.equal(Deno.statSync(`${server.home}/audit`).mode! & 0o777, 0o700);

  assert.deepEqual((await records(server, "--denied", "--name", "bob", "--method", "StopJob")).map(({ seq }) => seq), [
    2,
  ]);
  assert.deepEqual((await records(server, "--object", id.slice(0, 4), "--tail", "2")).map(({ seq }) => seq), [6, 7]);
  const table = await server.cli("audit", "--tail", "1");
  assert.match(
    table.stdout,
    /^SEQ +TIME +NAME.*\n7 +2\S+Z +admin +admin +allowed +OK +127\S+ +\S+DeleteJob +[0-9a-f-]+\n$/,
  );

  const head = (await server.cli("audit", "--head")).stdout.trim();
  const proof = await server.cli("audit", "verify", "--expect-head", head);
  assert.deepEqual([proof.code, proof.stdout], [0, `7 records, 1 to 7, chain intact, head ${head}\n`]);
});

Deno.test({
  ...root,
  name:
    "audit verify names the file and line of a record that was changed, and misses what was cut off from a kept head",
}, async () => {
  await using server = await TestServer.start();
  for (let count = 0; count < 3; count++) assert.equal((await server.cli("run", "true")).code, 0);
  const head = (await server.cli("audit", "--head")).stdout.trim();
  const file = `${server.home}/audit/audit-000000000001.jsonl`;
  const text = await Deno.readTextFile(file);
  await Deno.writeTextFile(file, text.replace('"seq":2', '"seq":3'));
  const changed = await server.cli("audit", "verify");
  assert.deepEqual([changed.code, changed.stdout], [1, ""]);
  assert.equal(
    changed.stderr,
    `joblet: Cannot trust the audit log: ${file}: line 2: this line is not as it was written; records 1 to 1 are intact\n`,
  );
  await Deno.writeTextFile(file, text.split("\n").slice(0, 2).map((line) => `${line}\n`).join(""));
  assert.equal((await server.cli("audit", "verify")).code, 0);
  const cut = await server.cli("audit", "verify", "--expect-head", head);
  assert.equal(cut.code, 1);
  assert.match(cut.stderr, /the log ends with record 2: those up to 3 were cut off; records 1 to 2 are intact\n$/);
});

Deno.test({
  ...root,
  name: "roles by name need none in the certificate, and win over one that is there",
}, async () => {
  const config = "auth: { roles: { admin: admin, bob: viewer } }";
  await using server = await TestServer.start({ config });
  const bob = await server.newClient("bob", "admin");
  assert.match((await server.cli("run", ...bob, "true")).stderr, /role 'viewer' may not/);
  assert.equal((await server.cli("ps", ...bob)).code, 0);
  const [denied] = await records(server, "--denied");
  assert.deepEqual([denied?.name, denied?.role, denied?.code], ["bob", "viewer", "PERMISSION_DENIED"]);
});
