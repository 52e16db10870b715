/**
 * Who may call what. A method without a row is denied to everybody; a test walks the service descriptors and fails on
 * such a method.
 */
import { EngineError } from "../core/errors.ts";
import type { Job } from "../core/jobs/job.ts";
import type { Identity } from "./identity.ts";
import type { Role } from "./role.ts";

const EVERYBODY: readonly Role[] = ["admin", "user", "viewer"];
const DOERS: readonly Role[] = ["admin", "user"];

/** Roles by full method name. Which jobs a method may touch is told below. */
export const POLICY: ReadonlyMap<string, readonly Role[]> = new Map([
  ["joblet.v1.JobService/RunJob", DOERS],
  ["joblet.v1.JobService/PlanJob", DOERS],
  ["joblet.v1.JobService/GetJob", EVERYBODY],
  ["joblet.v1.JobService/ListJobs", EVERYBODY],
  ["joblet.v1.JobService/WatchJob", EVERYBODY],
  ["joblet.v1.JobService/StreamLogs", EVERYBODY],
  ["joblet.v1.JobService/StopJob", DOERS],
  ["joblet.v1.JobService/CancelJob", DOERS],
  ["joblet.v1.JobService/DeleteJob", DOERS],
  ["joblet.v1.JobService/DeleteJobs", DOERS],
  ["grpc.health.v1.Health/Check", EVERYBODY],
  ["grpc.health.v1.Health/Watch", EVERYBODY],
]);

/** Whether the role may call the method at all. @param method full name, "joblet.v1.JobService/RunJob" */
export function mayCall(role: Role, method: string): boolean {
  return POLICY.get(method)?.includes(role) ?? false;
}

/** Whose jobs this caller sees: everybody's (undefined) or those of one owner. */
export function visibleOwner(identity: Identity): string | undefined {
  return identity.role === "user" ? identity.name : undefined;
}

/** Whose jobs this caller may stop or delete: everybody's (undefined) or those of one owner. */
export function changeableOwner(identity: Identity): string | undefined {
  return identity.role === "admin" ? undefined : identity.name;
}

/** The job, if the caller may see it. @throws {EngineError} kind "forbidden" */
export function readable(identity: Identity, job: Job): Job {
  const owner = visibleOwner(identity);
  if (owner === undefined || owner === job.owner) return job;
  throw new EngineError("forbidden", `Cannot read job ${job.id}: it belongs to somebody else`);
}

/** The job, if the caller may stop or delete it. @throws {EngineError} kind "forbidden" */
export function changeable(identity: Identity, job: Job): Job {
  if (identity.role === "admin" || (identity.role === "user" && identity.name === job.owner)) return job;
  throw new EngineError("forbidden", `Cannot change job ${job.id}: it belongs to somebody else`);
}
