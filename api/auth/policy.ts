/**
 * Who may call what. A method without a row is denied to everybody; a test walks the service descriptors and fails on
 * such a method. docs/AUTHORIZATION.md is made of this table.
 */
import { EngineError } from "../../core/errors.ts";
import type { Job } from "../../core/jobs/job.ts";
import type { Identity } from "./identity.ts";
import type { Role } from "./role.ts";

/**
 * How far a role reaches with a method: not at all, to its own jobs, to everybody's, or "yes" where no job that exists is
 * asked for.
 */
export type Reach = "no" | "own" | "any" | "yes";

export interface Rule {
  readonly reach: Readonly<Record<Role, Reach>>;
  /** Whether it changes anything: then each call leaves a record in the audit log, and not only the denied ones. */
  readonly changes: boolean;
}

const START: Rule = { reach: { admin: "yes", user: "yes", viewer: "no" }, changes: true };
const PLAN: Rule = { ...START, changes: false };
const READ: Rule = { reach: { admin: "any", user: "own", viewer: "any" }, changes: false };
const CHANGE: Rule = { reach: { admin: "any", user: "own", viewer: "no" }, changes: true };
/** What is there for all jobs of a host. */
const LOOK: Rule = { reach: { admin: "yes", user: "yes", viewer: "yes" }, changes: false };
const ARRANGE: Rule = { reach: { admin: "yes", user: "no", viewer: "no" }, changes: true };

const SERVICES: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  "joblet.v1.JobService": {
    RunJob: START,
    PlanJob: PLAN,
    GetJob: READ,
    ListJobs: READ,
    WatchJob: READ,
    StreamLogs: READ,
    StopJob: CHANGE,
    CancelJob: CHANGE,
    DeleteJob: CHANGE,
    DeleteJobs: CHANGE,
  },
  "joblet.JobService": {
    RunJob: START,
    GetJobStatus: READ,
    StopJob: CHANGE,
    CancelJob: CHANGE,
    DeleteJob: CHANGE,
    DeleteAllJobs: CHANGE,
    GetJobLogs: READ,
    ListJobs: READ,
    StreamJobMetrics: READ,
    GetJobMetrics: READ,
    StreamJobTelematics: READ,
    GetJobTelematics: READ,
  },
  "joblet.NetworkService": { CreateNetwork: ARRANGE, ListNetworks: LOOK, RemoveNetwork: ARRANGE },
  "joblet.VolumeService": { CreateVolume: ARRANGE, ListVolumes: LOOK, RemoveVolume: ARRANGE },
  "joblet.MonitoringService": { GetSystemStatus: LOOK, StreamSystemMetrics: LOOK },
  "joblet.RuntimeService": {
    ListRuntimes: LOOK,
    GetRuntimeInfo: LOOK,
    TestRuntime: LOOK,
    RemoveRuntime: ARRANGE,
    BuildRuntime: ARRANGE,
    ValidateRuntimeYAML: LOOK,
  },
  "jobworker.JobWorker": {
    StartJob: START,
    StopJob: CHANGE,
    GetJobStatus: READ,
    GetJobOutput: READ,
    ListJobs: READ,
  },
  "grpc.health.v1.Health": { Check: LOOK, Watch: LOOK },
};

/** Rules by full method name, "joblet.v1.JobService/RunJob". */
export const POLICY: ReadonlyMap<string, Rule> = new Map(
  Object.entries(SERVICES).flatMap(([service, methods]) =>
    Object.entries(methods).map(([method, rule]) => [`${service}/${method}`, rule] as const)
  ),
);

/** Whether the role may call the method at all. @param method full name, "joblet.v1.JobService/RunJob" */
export function mayCall(role: Role, method: string): boolean {
  const reach = POLICY.get(method)?.reach[role];
  return reach !== undefined && reach !== "no";
}

/** Whose jobs this caller sees: everybody's (undefined) or those of one owner. */
export function visibleOwner(identity: Identity): string | undefined {
  return READ.reach[identity.role] === "any" ? undefined : identity.name;
}

/** Whose jobs this caller may stop or delete: everybody's (undefined) or those of one owner. */
export function changeableOwner(identity: Identity): string | undefined {
  return CHANGE.reach[identity.role] === "any" ? undefined : identity.name;
}

/** The job is somebody else's. */
export class ForeignJobError extends EngineError {
  constructor(what: string, readonly jobId: string) {
    super("forbidden", `Cannot ${what} job ${jobId}: it belongs to somebody else`);
  }
}

/** The job, if the caller may see it. @throws {ForeignJobError} */
export function readable(identity: Identity, job: Job): Job {
  if (reaches(READ, identity, job)) return job;
  throw new ForeignJobError("read", job.id);
}

/** The job, if the caller may stop or delete it. @throws {ForeignJobError} */
export function changeable(identity: Identity, job: Job): Job {
  if (reaches(CHANGE, identity, job)) return job;
  throw new ForeignJobError("change", job.id);
}

function reaches({ reach }: Rule, { role, name }: Identity, { owner }: Job): boolean {
  return reach[role] === "any" || (reach[role] === "own" && owner === name);
}
