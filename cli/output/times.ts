/** Times and durations of the wire, for people and for JSON. */
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { formatDuration } from "../../core/values/duration.ts";

export interface WireDuration {
  readonly seconds: bigint;
  readonly nanos: number;
}

export function toMs({ seconds, nanos }: WireDuration): number {
  return Number(seconds) * 1000 + nanos / 1e6;
}

export function isoTime(time: Timestamp | undefined): string | null {
  return time ? timestampDate(time).toISOString() : null;
}

/** "in 2h30m"; "now" if it is due. */
export function untilText(time: Timestamp, now: number): string {
  const ms = timestampDate(time).getTime() - now;
  return ms < 1000 ? "now" : `in ${formatDuration(Math.round(ms / 1000) * 1000)}`;
}

/** From the first to the second time, or to now if there is none. */
export function spanText(from: Timestamp, to: Timestamp | undefined, now = Date.now()): string {
  const end = to ? timestampDate(to).getTime() : now;
  return formatDuration(Math.max(0, end - timestampDate(from).getTime()));
}
