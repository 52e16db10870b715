/** The audit log lies on a small disk of its own, which fills up. */
import assert from "node:assert/strict";
import { connect } from "../harness/client.ts";
import { requires } from "../harness/requires.ts";
import { jobletCommand } from "../harness/server.ts";
import { inside, startOnSmallDisks } from "./small_disks.ts";

/** More records than a disk's last page has room for. */
const CALLS = 20;

Deno.test({
  ...requires("root", "cgroup2", "nsenter"),
  name:
    "while the audit log's disk is full, jobs don't start but stop, and how many calls have no record is told afterwards",
}, async () => {
  await using server = await startOnSmallDisks(["audit"], "256k");
  await using client = await connect(server);
  const folder = `${server.home}/audit`;
  const job = await server.detach("sleep", "600");
  const full = await inside(server, `dd if=/dev/zero of="${folder}/fill" bs=1k`);
  assert.match(full, /No space left/);
  for (let call = 0; call < CALLS; call++) await client.jobs.stopJob({ id: job, signal: "KILL" });
  const refused = await server.cli("run", "true");
  assert.deepEqual([refused.code, refused.stderr], [
    1,
    "joblet: Cannot start or arrange anything while the server's audit log can't be written: " +
    "its disk is full; make room on it\n",
  ]);
  assert.equal((await server.cli("ps")).code, 0);
  await inside(server, `rm "${folder}/fill"`);
  assert.equal((await server.cli("run", "true")).code, 0);

  const environment = Object.entries(server.env).map(([name, value]) => `${name}='${value}'`).join(" ");
  const verified = await inside(server, `${environment} ${jobletCommand().join(" ")} audit verify`);
  const [, records, missing] =
    /^(\d+) records, .*chain intact.*\ncalls without a record, as the log could not be written: (\d+)\n$/.exec(
      verified,
    ) ??
      assert.fail(verified);
  // Two starts, the stops and the start that was refused; one record is that of the gap.
  assert.equal(Number(records) - 1 + Number(missing), 2 + CALLS + 1);
  assert(Number(missing) > 1);
  assert.equal(server.log.match(/Audit log can't be written/g)?.length, 1);
  assert.equal(server.log.match(/Audit log is written again/g)?.length, 1);
});
