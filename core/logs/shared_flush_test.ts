import assert from "node:assert/strict";
import { SharedFlush } from "./shared_flush.ts";

Deno.test("SharedFlush makes one flush for all who come before it begins, and another for those who come later", async () => {
  let flushes = 0;
  const under = Promise.withResolvers<void>();
  const flush = new SharedFlush(async () => {
    flushes++;
    if (flushes === 1) await under.promise;
  }, 0);
  const first = [flush.wait(), flush.wait(), flush.wait()];
  while (flushes === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  const late = flush.wait();
  under.resolve();
  await Promise.all(first);
  await late;
  assert.equal(flushes, 2);
});

Deno.test("SharedFlush tells all who wait of a failure, and tries again for the next", async () => {
  let fails = true;
  const flush = new SharedFlush(() => fails ? Promise.reject(new Error("EIO")) : Promise.resolve(), 0);
  for (const result of await Promise.allSettled([flush.wait(), flush.wait()])) assert.equal(result.status, "rejected");
  fails = false;
  await flush.wait();
});

Deno.test("SharedFlush that is closed lets go of those who wait, at once and without a flush", async () => {
  const flush = new SharedFlush(() => assert.fail("no flush"), 3_600_000);
  const waiting = flush.wait();
  flush.close();
  await waiting;
  await flush.wait();
});
