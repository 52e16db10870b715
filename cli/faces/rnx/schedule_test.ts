import assert from "node:assert/strict";
import { parseSchedule } from "./schedule.ts";

const NOW = Date.parse("2026-03-01T12:00:00.250Z");
const HOUR = 3_600_000;

for (
  const [text, ms] of [
    ["2h30m", 2.5 * HOUR],
    ["2 h 30 m", 2.5 * HOUR],
    ["2hours30min", 2.5 * HOUR],
    ["1 hour", HOUR],
    ["1hour", HOUR],
    ["30 min", HOUR / 2],
    ["30min", HOUR / 2],
    ["90 seconds", 90_000],
    ["1h1m1s", HOUR + 61_000],
    ["1s", 1000],
    ["8784h", 366 * 24 * HOUR],
  ] as const
) {
  Deno.test(`--schedule '${text}' is ${ms / 1000} s from now`, () => {
    const { input, when } = parseSchedule(text, NOW);
    assert.deepEqual([input, Date.parse(when)], [text, NOW + ms]);
  });
}

for (
  const [text, when] of [
    ["2026-03-01T13:00:00Z", "2026-03-01T13:00:00Z"],
    ["2026-03-01T15:00:00+02:00", "2026-03-01T13:00:00Z"],
    ["2026-03-01 13:00:00.123456789Z", "2026-03-01T13:00:00.123456789Z"],
  ] as const
) {
  Deno.test(`--schedule '${text}' is that moment, to the nanosecond`, () => {
    assert.equal(parseSchedule(text, NOW).when, when);
  });
}

for (const text of ["2026-07-01T07:30:15", "2026-07-01 07:30:15", "2026-07-01T07:30", "2026-07-01 07:30"]) {
  Deno.test(`--schedule '${text}' is local time`, async () => {
    const script = `import { parseSchedule } from "${new URL("./schedule.ts", import.meta.url)}";
      console.log(parseSchedule("${text}", ${NOW}).when);`;
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-check", script],
      env: { TZ: "America/New_York" },
    }).output();
    const seconds = text.endsWith(":15") ? "15" : "00";
    assert.equal(
      new TextDecoder().decode(stdout).trim(),
      `2026-07-01T11:30:${seconds}Z`,
      new TextDecoder().decode(stderr),
    );
  });
}

for (
  const [text, message] of [
    ["tomorrow", /must be a time .* or a time from now/],
    ["", /must be a time/],
    ["2h30", /must be a time/],
    ["30", /must be a time/],
    ["-5m", /must be a time/],
    ["2026-02-30 07:30", /there is no such time/],
    ["2026-03-01T25:00:00Z", /there is no such time/],
    ["2026-03-01T11:59:59Z", /in the past/],
    ["0s", /from 1 s to 1 year/],
    ["2026-03-01T12:00:01Z", /from 1 s to 1 year/],
    ["8785h", /from 1 s to 1 year/],
    ["999999999h", /from 1 s to 1 year/],
    ["2030-01-01T00:00:00Z", /from 1 s to 1 year/],
    ["*/5 * * * *", /must be a time/],
  ] as const
) {
  Deno.test(`--schedule '${text}' is refused with what is wrong`, () => {
    assert.throws(() => parseSchedule(text, NOW), { name: "RangeError", message });
  });
}
