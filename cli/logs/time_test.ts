import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { nanosecondTime, parseLogTime } from "./time.ts";

const now = new Date("2026-03-01T12:00:00Z");
const read = (text: string) => nanosecondTime(parseLogTime("--since", text, now));
const local = (...parts: [number, number, number, number, number]) =>
  `${new Date(...parts).toISOString().slice(0, 19)}.`;

Deno.test("parseLogTime reads RFC 3339 to the nanosecond, with any offset", () => {
  assert.equal(read("2026-03-01T07:30:00Z"), "2026-03-01T07:30:00.000000000Z");
  assert.equal(read("2026-03-01t07:30:00.123456789z"), "2026-03-01T07:30:00.123456789Z");
  assert.equal(read("2026-03-01 07:30:00.5+02:00"), "2026-03-01T05:30:00.500000000Z");
  assert.equal(read("2026-02-28T22:00:00-05:30"), "2026-03-01T03:30:00.000000000Z");
});

Deno.test("parseLogTime reads a duration as so long ago", () => {
  assert.equal(read("10m"), "2026-03-01T11:50:00.000000000Z");
  assert.equal(read("1h30m"), "2026-03-01T10:30:00.000000000Z");
  assert.equal(read("99999999d"), "1970-01-01T00:00:00.000000000Z");
});

Deno.test("parseLogTime reads a time without an offset as this machine's, without a date as today's", () => {
  assert.equal(read("2026-03-01 07:30"), `${local(2026, 2, 1, 7, 30)}000000000Z`);
  assert.equal(read("2026-02-27T07:30:15.25").slice(16), ":15.250000000Z");
  assert.equal(read("2026-02-27"), `${local(2026, 1, 27, 0, 0)}000000000Z`);
  assert.equal(read("07:30"), `${local(now.getFullYear(), now.getMonth(), now.getDate(), 7, 30)}000000000Z`);
});

for (
  const text of [
    ...[
      "",
      "yesterday",
      "-5m",
      "25:00",
      "7:30",
      "07:30Z",
      "2026-02-30",
      "2026-13-01",
      "2026-03-01Z",
      "2026-03-0107:30",
    ],
    ...["2026-03-01T24:00:00Z", "2026-03-01T07:30:60Z", "2026-03-01T07:30:00+2", "2026-03-01T07:30:00.1234567890Z"],
  ]
) {
  Deno.test(`parseLogTime refuses '${text}'`, () => {
    assert.throws(() => read(text), { name: "RangeError", message: new RegExp(`^Cannot use --since '`) });
  });
}

Deno.test("nanosecondTime keeps nanoseconds and shows that there is no time", () => {
  const time = create(TimestampSchema, { seconds: 1772350200n, nanos: 7 });
  assert.equal(nanosecondTime(time), "2026-03-01T07:30:00.000000007Z");
  assert.equal(nanosecondTime(undefined), "-");
});
