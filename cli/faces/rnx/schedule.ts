/** `--schedule`: a time, or a time from now, to the moment that is meant. */

const FORMS = "a time (2026-03-01T07:30:00Z, or local: '2026-03-01 07:30') or a time from now (2h30m, '30 min', 1hour)";

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000 };
const UNIT = "(h|hours?|hrs?|m|mins?|minutes?|s|secs?|seconds?)";
const RELATIVE = new RegExp(`^(\\d{1,9}\\s*${UNIT}\\s*)+$`, "i");
const PART = new RegExp(`(\\d{1,9})\\s*${UNIT}`, "gi");
const ABSOLUTE = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|z|[+-]\d\d:\d\d)?$/;

const SECOND_MS = 1000;
const YEAR_MS = 366 * 24 * 3_600_000;

/** What was asked for, and the moment in RFC 3339, UTC. */
export interface ScheduledTime {
  readonly input: string;
  readonly when: string;
}

/**
 * Reads RFC 3339, a local time of this machine, or a time from now.
 * @throws {RangeError} it can't be read, or is not between 1 s and 1 year from now
 */
export function parseSchedule(text: string, nowMs = Date.now()): ScheduledTime {
  const trimmed = text.trim();
  const instant = absolute(text, trimmed) ?? relative(trimmed, nowMs);
  if (!instant) throw new RangeError(`Cannot use --schedule '${text}': it must be ${FORMS}`);
  const ahead = instant.epochMilliseconds - nowMs;
  if (ahead < 0) throw new RangeError(`Cannot use --schedule '${text}': it is in the past`);
  if (ahead < SECOND_MS || ahead > YEAR_MS) {
    throw new RangeError(`Cannot use --schedule '${text}': it must be from 1 s to 1 year from now`);
  }
  return { input: text, when: instant.toString() };
}

function absolute(text: string, trimmed: string): Temporal.Instant | undefined {
  const match = ABSOLUTE.exec(trimmed);
  if (!match) return undefined;
  const iso = trimmed.replace(" ", "T");
  try {
    if (match[3]) return Temporal.Instant.from(iso);
    // RFC 5545's reading of a time that the zone skips or has twice: behind the gap, the first of two.
    return Temporal.PlainDateTime.from(iso).toZonedDateTime(Temporal.Now.timeZoneId()).toInstant();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`Cannot use --schedule '${text}': there is no such time`);
  }
}

function relative(text: string, nowMs: number): Temporal.Instant | undefined {
  if (!RELATIVE.test(text)) return undefined;
  let total = 0;
  for (const [, number, unit] of text.matchAll(PART)) total += Number(number) * UNIT_MS[unit![0]!.toLowerCase()]!;
  return Temporal.Instant.fromEpochMilliseconds(nowMs + Math.min(total, 2 * YEAR_MS));
}
