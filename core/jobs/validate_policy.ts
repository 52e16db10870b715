/** The part of a spec that says when and how often a job runs, and how it is found again. */
import { EngineError } from "../errors.ts";
import { parseWhen } from "../schedule/when.ts";
import { MAX_ATTEMPTS } from "./log_position.ts";
import type { JobSpecInput, RetryCause, RetryPolicy, Schedule } from "./spec.ts";

const MAX_LABELS = 64;
const MAX_PRIORITY = 100;
const MAX_RETRIES = Math.min(100, MAX_ATTEMPTS - 1);
const MAX_RETRY_DELAY_MS = 366 * 24 * 3_600_000;
const DEFAULT_RETRY_DELAY_MS = 1000;
const DEFAULT_CAUSES: readonly RetryCause[] = ["exit", "signal", "out_of_memory", "lost"];
const CAUSES: readonly RetryCause[] = [...DEFAULT_CAUSES, "timeout"];

function invalid(message: string): never {
  throw new EngineError("invalid", message);
}

export function parseLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(labels);
  if (entries.length > MAX_LABELS) invalid(`Cannot use ${entries.length} labels: at most ${MAX_LABELS} may be given`);
  for (const [key, value] of entries) {
    if (!/^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$/.test(key)) {
      const wanted = "its key must be 1 to 63 of A-Z a-z 0-9 . _ - / and begin and end with a letter or digit";
      invalid(`Cannot use label ${JSON.stringify(key.slice(0, 60))}: ${wanted}`);
    }
    if (!/^[A-Za-z0-9._-]{0,63}$/.test(value)) {
      invalid(`Cannot use label '${key}': its value must be at most 63 of A-Z a-z 0-9 . _ -`);
    }
  }
  // In one order, so that two requests for the same are the same.
  return Object.fromEntries(entries.sort(([a], [b]) => a < b ? -1 : 1));
}

export function parsePriority(priority: number): number {
  if (Number.isInteger(priority) && Math.abs(priority) <= MAX_PRIORITY) return priority;
  return invalid(`Cannot use priority ${priority}: it must be a whole number from -${MAX_PRIORITY} to ${MAX_PRIORITY}`);
}

export function parseRetry({ limit, delayMs, on }: NonNullable<JobSpecInput["retry"]>): RetryPolicy {
  if (!Number.isInteger(limit) || limit < 0 || limit > MAX_RETRIES) {
    invalid(`Cannot retry ${limit} times: it must be 0 to ${MAX_RETRIES}`);
  }
  const delay = delayMs ?? DEFAULT_RETRY_DELAY_MS;
  if (!(delay >= 0 && delay <= MAX_RETRY_DELAY_MS)) {
    invalid(`Cannot use retry delay of ${delay} ms: it must be 0 to 366 days`);
  }
  const wanted = on?.length ? on : DEFAULT_CAUSES;
  return { limit, delayMs: delay, on: CAUSES.filter((cause) => wanted.includes(cause)) };
}

export function parseSchedule(input: NonNullable<JobSpecInput["schedule"]>): Schedule {
  const { when, timeZone = "UTC", misfire, overlap } = input;
  try {
    const { kind } = parseWhen(when, timeZone, Date.now());
    if (kind === "cron") return { kind, when, timeZone, misfire: misfire ?? "run_once", overlap: overlap ?? "allow" };
    if (misfire === undefined && overlap === undefined) return { kind, when, timeZone };
    invalid(`Cannot use misfire or overlap policies with schedule '${when}': they are for cron expressions`);
  } catch (error) {
    if (error instanceof RangeError) invalid(error.message);
    throw error;
  }
}
