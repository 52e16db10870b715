import type { Job, JobStateName, JobStatus } from "../jobs/job.ts";

/** Every state, and whether a job that is in it has ended. */
const STATES: Readonly<Record<JobStateName, "live" | "terminal">> = {
  pending: "live",
  scheduled: "live",
  initializing: "live",
  running: "live",
  stopping: "live",
  completed: "terminal",
  failed: "terminal",
  stopped: "terminal",
  timeout: "terminal",
  canceled: "terminal",
  lost: "terminal",
};

/** States of jobs that have not ended. */
export const LIVE_STATES = Object.keys(STATES).filter((name) => isStateName(name) && STATES[name] === "live");

/** Fields of a status that are dates; they are kept as ISO 8601 text, in UTC, with milliseconds. */
const STATUS_DATES: ReadonlySet<string> = new Set(["at", "startedAt", "requestedAt", "endedAt"]);

/** A job as JSON without line breaks, the form in which stores keep it. @throws {RangeError} for an invalid date */
export function jobToJson(job: Job): string {
  // JSON.stringify would write an invalid date as null, and nobody would notice before it is read.
  for (const [field, value] of Object.entries({ createdAt: job.createdAt, ...job.status })) {
    if (value instanceof Date && Number.isNaN(value.getTime())) {
      throw new RangeError(`Cannot store job ${job.id}: its '${field}' is an invalid date`);
    }
  }
  return JSON.stringify(job);
}

/** The job that `jobToJson` wrote. @throws {SyntaxError} if the text is not one */
export function jobFromJson(text: string): Job {
  const stored: StoredJob = JSON.parse(text);
  if (!isStateName(stored.status.state)) {
    throw new SyntaxError(`Cannot read stored job ${stored.id}: it has the unknown state '${stored.status.state}'`);
  }
  const status = Object.fromEntries(
    Object.entries(stored.status).map(([field, value]) => [
      field,
      STATUS_DATES.has(field) ? readDate(value, field, stored.id) : value,
    ]),
  );
  // Beyond state and dates the text is taken as `jobToJson` wrote it: nobody else writes to a store.
  return { ...stored, status: status as JobStatus, createdAt: readDate(stored.createdAt, "createdAt", stored.id) };
}

type StoredJob = Omit<Job, "status" | "createdAt"> & {
  readonly status: Readonly<Record<string, unknown>> & { readonly state: string };
  readonly createdAt: unknown;
};

function isStateName(name: string): name is JobStateName {
  return Object.hasOwn(STATES, name);
}

function readDate(value: unknown, field: string, id: string): Date {
  const date = new Date(typeof value === "string" ? value : NaN);
  if (!Number.isNaN(date.getTime())) return date;
  throw new SyntaxError(`Cannot read stored job ${id}: its '${field}' is no date but '${value}'`);
}
