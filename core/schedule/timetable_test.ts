import assert from "node:assert/strict";
import fc from "fast-check";
import { SimClock } from "../jobs/testing/sim_clock.ts";
import { Timetable } from "./timetable.ts";

Deno.test("Timetable calls each key once its moment has come, in the order of the moments, and not before", () => {
  const action = fc.tuple(fc.constantFrom("set", "remove", "advance", "clock"), fc.nat(20), fc.nat(1000));
  fc.assert(fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
    const clock = new SimClock(1_000_000);
    const moments = new Map<string, number>();
    const due: string[] = [];
    const timetable = new Timetable(clock, (key) => {
      assert(moments.get(key)! <= clock.now(), "not before its moment");
      moments.delete(key);
      due.push(key);
    });
    for (const [kind, number, span] of actions) {
      const key = `k${number}`;
      if (kind === "set") {
        moments.set(key, clock.now() + span - 100);
        timetable.set(key, clock.now() + span - 100);
      } else if (kind === "remove") {
        moments.delete(key);
        timetable.remove(key);
      } else if (kind === "advance") clock.advance(span);
      else clock.set(span - 300);
      if (kind !== "advance" && kind !== "clock") continue;
      // A moment in the past rings at the next tick, however little time has passed.
      for (const at of moments.values()) assert(at > clock.now(), "nothing due is left");
    }
    assert.equal(timetable.size, moments.size);
  }));
});
