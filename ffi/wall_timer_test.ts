import "../tests/harness/ffi.ts";
import assert from "node:assert/strict";
import { Poller } from "./poller.ts";
import { WallTimer } from "./wall_timer.ts";

Deno.test("WallTimer calls back at its moment, at once for a past one, never for Infinity, and for the last one set", async () => {
  await using poller = new Poller((error) => {
    throw error;
  });
  let calls = 0;
  let next = Promise.withResolvers<void>();
  using timer = new WallTimer(poller, () => {
    calls++;
    next.resolve();
  });
  timer.set(Infinity);
  const begin = Date.now();
  timer.set(begin + 3_600_000);
  timer.set(begin + 40);
  await next.promise;
  assert(Date.now() >= begin + 40);
  next = Promise.withResolvers();
  timer.set(begin - 1000);
  await next.promise;
  assert.equal(calls, 2);
});
