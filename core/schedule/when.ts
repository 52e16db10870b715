/** When a job runs, from what people write. */
import { Cron } from "croner";
import { parseDuration } from "../values/duration.ts";

/** A moment, or moments that recur. Times are milliseconds since the epoch. */
export type When =
  | { readonly kind: "once"; readonly atMs: number }
  | {
    readonly kind: "cron";
    /** The first moment after a time; undefined if there is none any more. */
    readonly next: (afterMs: number) => number | undefined;
  };

const MAX_AHEAD_MS = 10 * 366 * 24 * 3_600_000;
const FORMS = "a time (2026-03-01T07:30:00Z, '2026-03-01 07:30', 07:30), a time from now (2h30m, 5min) or a cron " +
  "expression ('30 7 * * mon-fri', @daily)";

/** Words that people use for units, as the units that durations have. */
const UNITS: readonly (readonly [RegExp, string])[] = [
  [/(\d)\s*(?:days?|d)(?![a-z])/gi, "$1d"],
  [/(\d)\s*(?:hours?|hrs?|h)(?![a-z])/gi, "$1h"],
  [/(\d)\s*(?:minutes?|mins?|m)(?![a-z])/gi, "$1m"],
  [/(\d)\s*(?:seconds?|secs?|s)(?![a-z])/gi, "$1s"],
];

/**
 * Reads RFC 3339, a local time in the zone, a time from now, or a cron expression of five or six fields.
 * A local time that the zone skips or has twice is read as RFC 5545 does: shifted behind the gap, the first of two.
 * @param timeZone IANA name
 * @param nowMs what "from now" and a bare "07:30", its next one, are counted from
 * @throws {RangeError} with what was wanted
 */
export function parseWhen(text: string, timeZone: string, nowMs: number): When {
  checkTimeZone(timeZone);
  const trimmed = text.trim();
  const atMs = parseAbsolute(trimmed, timeZone, nowMs) ?? parseRelative(trimmed, nowMs);
  if (atMs === undefined) return parseCron(trimmed, timeZone);
  if (atMs > nowMs + MAX_AHEAD_MS) throw new RangeError(`Cannot use schedule '${text}': it is over ten years ahead`);
  return { kind: "once", atMs };
}

function checkTimeZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`Cannot use time zone '${timeZone}': it must be an IANA name such as Europe/Berlin`);
  }
}

function parseAbsolute(text: string, timeZone: string, nowMs: number): number | undefined {
  try {
    if (/^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)$/.test(text)) {
      return Temporal.Instant.from(text.replace(" ", "T")).epochMilliseconds;
    }
    if (/^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?$/.test(text)) {
      return Temporal.PlainDateTime.from(text.replace(" ", "T")).toZonedDateTime(timeZone).epochMilliseconds;
    }
    if (/^\d\d:\d\d(:\d\d)?$/.test(text)) return nextTimeOfDay(text, timeZone, nowMs);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`Cannot use schedule '${text}': there is no such time`);
  }
  return undefined;
}

function nextTimeOfDay(text: string, timeZone: string, nowMs: number): number {
  const now = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(timeZone);
  const time = Temporal.PlainTime.from(text);
  const today = now.toPlainDate().toZonedDateTime({ timeZone, plainTime: time }).epochMilliseconds;
  if (today > nowMs) return today;
  return now.toPlainDate().add({ days: 1 }).toZonedDateTime({ timeZone, plainTime: time }).epochMilliseconds;
}

function parseRelative(text: string, nowMs: number): number | undefined {
  if (!/^\d/.test(text) || /[*/@,]/.test(text)) return undefined;
  const compact = UNITS.reduce((rest, [pattern, unit]) => rest.replace(pattern, unit), text).replaceAll(" ", "");
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(compact)) return undefined;
  return nowMs + parseDuration(compact);
}

function parseCron(text: string, timeZone: string): When {
  if (!/^@\w+$/.test(text) && ![5, 6].includes(text.split(/\s+/).length)) {
    throw new RangeError(`Cannot use schedule '${text}': it must be ${FORMS}`);
  }
  let cron: Cron;
  try {
    cron = new Cron(text, { timezone: timeZone, paused: true, mode: "5-or-6-parts" });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RangeError(`Cannot use schedule '${text}': ${reason}; it must be ${FORMS}`, { cause });
  }
  const next = (afterMs: number) => cron.nextRun(new Date(afterMs))?.getTime();
  if (next(0) === undefined) throw new RangeError(`Cannot use schedule '${text}': it never comes`);
  return { kind: "cron", next };
}
