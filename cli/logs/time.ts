/** Times of output: as they are shown, and as `--since` and `--until` take them. */
import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { parseDuration } from "../../core/values/duration.ts";

/** "2026-03-01T07:30:00.123456789Z"; "-" for none. */
export function nanosecondTime(time: Timestamp | undefined): string {
  if (!time) return "-";
  const seconds = new Date(Number(time.seconds) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(time.nanos).padStart(9, "0")}Z`;
}

const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ]|$)/;
const CLOCK = /^(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?/;
const OFFSET = /^(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/**
 * Reads RFC 3339, a local time ("2026-03-01 07:30", "2026-03-01", or "07:30" for today) or how long ago ("1h30m").
 * @param flag for the message @throws {RangeError}
 */
export function parseLogTime(flag: string, text: string, now = new Date()): Timestamp {
  const time = parseClockTime(text.trim(), now) ?? parseAgo(text.trim(), now);
  if (!time) {
    throw new RangeError(
      `Cannot use ${flag} '${text}': it must look like 2026-03-01T07:30:00Z, '2026-03-01 07:30', 07:30 or, for so long ago, 1h30m`,
    );
  }
  return time;
}

function parseAgo(text: string, now: Date): Timestamp | undefined {
  try {
    const time = now.getTime() - parseDuration(text);
    return Number.isFinite(time) ? timestampFromMs(Math.max(0, time)) : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function parseClockTime(text: string, now: Date): Timestamp | undefined {
  const date = DATE.exec(text);
  const behindDate = date ? text.slice(date[0].length) : text;
  const clock = CLOCK.exec(behindDate);
  if (!date && !clock) return undefined;
  const zone = behindDate.slice(clock?.[0].length ?? 0);
  const offset = OFFSET.exec(zone);
  // An offset says which instant of a whole date and time is meant; alone with either it says too little.
  if (zone !== "" && !(offset && date && clock)) return undefined;
  const [year, month, day] = date
    ? [Number(date[1]), Number(date[2]), Number(date[3])]
    : [now.getFullYear(), now.getMonth() + 1, now.getDate()];
  const [hour, minute, second] = [Number(clock?.[1] ?? 0), Number(clock?.[2] ?? 0), Number(clock?.[3] ?? 0)];
  const utc = Date.UTC(year!, month! - 1, day, hour, minute, second);
  // February 31 and 25 o'clock would be carried over into another day.
  const wanted = `${pad(year!, 4)}-${pad(month!)}-${pad(day!)}T${pad(hour)}:${pad(minute)}:${pad(second)}`;
  if (new Date(utc).toISOString().slice(0, 19) !== wanted) return undefined;
  const ms = offset ? utc - offsetMs(offset) : new Date(year!, month! - 1, day, hour, minute, second).getTime();
  const nanos = Number((clock?.[4] ?? "").padEnd(9, "0"));
  return create(TimestampSchema, { seconds: BigInt(ms / 1000), nanos });
}

function offsetMs([, sign, hours, minutes]: RegExpExecArray): number {
  if (sign === undefined) return 0;
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

function pad(value: number, width = 2): string {
  return String(value).padStart(width, "0");
}
