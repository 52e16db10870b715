import type { AttemptEnd, Job, JobStateName, JobStatus } from "../jobs/job.ts";
import type { JobSpec } from "../jobs/spec.ts";

/** Fields of a status that are dates; they are kept as ISO 8601 text, in UTC, with milliseconds. */
const DATES: ReadonlySet<string> = new Set(["at", "startedAt", "requestedAt", "killAt", "endedAt"]);

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
  readonly attempt: number;
  readonly attempts: string;
  readonly scheduledBy: string | null;
  readonly idempotencyKey: string | null;
}

/** @throws {RangeError} for an invalid date, which JSON would turn into null, unnoticed until it is read */
export function encodeJob(job: Job): StoredJob {
  const { id, owner, spec, status, createdAt, version, attempt, earlier } = job;
  for (const [field, value] of Object.entries({ createdAt, ...status })) {
    if (value instanceof Date && Number.isNaN(value.getTime())) {
      throw new RangeError(`Cannot store job ${id}: its '${field}' is an invalid date`);
    }
  }
  return {
    id,
    owner,
    createdMs: createdAt.getTime(),
    version,
    spec: JSON.stringify(spec),
    status: JSON.stringify(status),
    attempt,
    attempts: JSON.stringify(earlier),
    scheduledBy: job.scheduledBy ?? null,
    idempotencyKey: job.idempotencyKey ?? null,
  };
}

/** What the output of all attempts took when they ended. */
export function logBytesOf({ status, earlier }: Job): number {
  const own = "usage" in status ? status.usage?.logBytes ?? 0 : 0;
  return earlier.reduce((sum, { usage }) => sum + (usage?.logBytes ?? 0), own);
}

/** The job that `encodeJob` was given. @throws {SyntaxError} if it was given none */
export function decodeJob(stored: StoredJob): Job {
  const { id, owner, createdMs, version, attempt, scheduledBy, idempotencyKey } = stored;
  // Beyond state and dates the text is taken as `encodeJob` wrote it: nobody else writes to a store.
  const spec: JobSpec = JSON.parse(stored.spec);
  const attempts: Record<string, unknown>[] = stored.attempts === "[]" ? [] : JSON.parse(stored.attempts);
  return {
    id,
    owner,
    spec,
    status: decodeStatus(JSON.parse(stored.status), id),
    createdAt: new Date(createdMs),
    version,
    attempt,
    earlier: attempts.map((status) => decodeStatus(status, id) as AttemptEnd),
    ...(scheduledBy === null ? {} : { scheduledBy }),
    ...(idempotencyKey === null ? {} : { idempotencyKey }),
  };
}

function decodeStatus(fields: Record<string, unknown>, id: string): JobStatus {
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
