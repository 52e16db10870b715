import type { Job, JobStateName, JobStatus } from "../jobs/job.ts";
import type { JobSpec } from "../jobs/spec.ts";

/** Fields of a status that are dates; they are kept as ISO 8601 text, in UTC, with milliseconds. */
const DATES: ReadonlySet<string> = new Set(["at", "startedAt", "requestedAt", "endedAt"]);

/** A record, so that the compiler misses a state that is added. */
const STATES: Readonly<Record<JobStateName, true>> = {
  pending: true,
  scheduled: true,
  initializing: true,
  running: true,
  stopping: true,
  completed: true,
  failed: true,
  stopped: true,
  timeout: true,
  canceled: true,
  lost: true,
};

/** A job as a store keeps it: what is looked up as it is, the rest as JSON. */
export interface StoredJob {
  readonly id: string;
  readonly owner: string;
  readonly createdMs: number;
  readonly version: number;
  readonly spec: string;
  readonly status: string;
}

/** @throws {RangeError} for an invalid date, which JSON would turn into null, unnoticed until it is read */
export function encodeJob(job: Job): StoredJob {
  const { id, owner, spec, status, createdAt, version } = job;
  for (const [field, value] of Object.entries({ createdAt, ...status })) {
    if (value instanceof Date && Number.isNaN(value.getTime())) {
      throw new RangeError(`Cannot store job ${id}: its '${field}' is an invalid date`);
    }
  }
  const createdMs = createdAt.getTime();
  return { id, owner, createdMs, version, spec: JSON.stringify(spec), status: JSON.stringify(status) };
}

/** The job that `encodeJob` was given. @throws {SyntaxError} if it was given none */
export function decodeJob(stored: StoredJob): Job {
  const { id, owner, createdMs, version } = stored;
  // Beyond state and dates the text is taken as `encodeJob` wrote it: nobody else writes to a store.
  const spec: JobSpec = JSON.parse(stored.spec);
  return { id, owner, spec, status: decodeStatus(stored), createdAt: new Date(createdMs), version };
}

function decodeStatus({ id, status }: StoredJob): JobStatus {
  const fields: Record<string, unknown> = JSON.parse(status);
  if (!isStateName(fields["state"])) {
    throw new SyntaxError(`Cannot read stored job ${id}: it has the unknown state '${fields["state"]}'`);
  }
  for (const [field, value] of Object.entries(fields)) {
    if (DATES.has(field)) fields[field] = decodeDate(value, field, id);
  }
  return fields as JobStatus;
}

function decodeDate(value: unknown, field: string, id: string): Date {
  const date = new Date(typeof value === "string" ? value : NaN);
  if (!Number.isNaN(date.getTime())) return date;
  throw new SyntaxError(`Cannot read stored job ${id}: its '${field}' is no date but '${value}'`);
}

function isStateName(value: unknown): value is JobStateName {
  return typeof value === "string" && Object.hasOwn(STATES, value);
}
