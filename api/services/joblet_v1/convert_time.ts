/** Times and spans, from the wire to milliseconds and back. */
import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema, type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { EngineError } from "../../../core/errors.ts";

/** Google's bound for a Duration: 10,000 years. */
const MAX_DURATION_SECONDS = 315_576_000_000n;

/** A span in milliseconds, rounded up, so that a span that is not zero stays so. @throws {EngineError} kind "invalid" */
export function msFromDuration(duration: Duration, field: string): number {
  const { seconds, nanos } = duration;
  if (seconds < 0n || seconds > MAX_DURATION_SECONDS || nanos < 0 || nanos > 999_999_999) {
    throw new EngineError("invalid", `Cannot use ${field} '${seconds}s ${nanos}ns': it must be 0 to 10,000 years`);
  }
  return Number(seconds) * 1000 + Math.ceil(nanos / 1e6);
}

/** A moment in nanoseconds since the epoch. @throws {EngineError} kind "invalid" */
export function nsFromTimestamp(time: Timestamp, field: string): bigint {
  const { seconds, nanos } = time;
  if (seconds < 0n || seconds > MAX_DURATION_SECONDS || nanos < 0 || nanos > 999_999_999) {
    throw new EngineError("invalid", `Cannot use ${field} '${seconds}s ${nanos}ns': it must be a time after 1970`);
  }
  return seconds * 1_000_000_000n + BigInt(nanos);
}

export function durationFromMs(ms: number): Duration {
  const seconds = Math.floor(ms / 1000);
  return create(DurationSchema, { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1000) * 1e6) });
}

export function timestampFromMs(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1000);
  return create(TimestampSchema, { seconds: BigInt(seconds), nanos: (ms - seconds * 1000) * 1e6 });
}
