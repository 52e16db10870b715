/** Inserts jobs and prints each id once its insert is acknowledged, until it is killed. */
import { openSqliteStore } from "./sqlite_store.ts";
import { someJob } from "../jobs/_job_fixture.ts";

const store = openSqliteStore(Deno.args[0]!);
const encoder = new TextEncoder();
for (;;) {
  const job = someJob();
  await store.insert(job);
  Deno.stdout.writeSync(encoder.encode(`${job.id}\n`));
}
