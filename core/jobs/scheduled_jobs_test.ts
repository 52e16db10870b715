import assert from "node:assert/strict";
import { ScheduledJobs } from "./scheduled_jobs.ts";
import { SimClock } from "./testing/sim_clock.ts";

Deno.test("ScheduledJobs counts each owner's jobs from their set to their moment or removal, once each", () => {
  const clock = new SimClock(0);
  const due: [string, number][] = [];
  const jobs: ScheduledJobs = new ScheduledJobs(clock, (id) => due.push([id, jobs.countOf("ann")]));
  const at = (ms: number) => new Date(clock.now() + ms);
  jobs.set({ id: "a", owner: "ann" }, at(1000));
  jobs.set({ id: "a", owner: "ann" }, at(2000));
  jobs.set({ id: "b", owner: "ann" }, at(3000));
  jobs.set({ id: "c", owner: "bob" }, at(3000));
  assert.deepEqual([jobs.countOf("ann"), jobs.countOf("bob"), jobs.countOf("eve"), jobs.size], [2, 1, 0, 3]);
  jobs.remove("c");
  jobs.remove("c");
  assert.equal(jobs.countOf("bob"), 0);
  clock.advance(2500);
  assert.deepEqual(due, [["a", 1]]);
  jobs.close();
  assert.deepEqual([jobs.countOf("ann"), jobs.size], [0, 0]);
});
