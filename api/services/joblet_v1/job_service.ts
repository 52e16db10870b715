/** joblet.v1.JobService: each method is identity -> permission -> parse -> call -> convert. */
import { create } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { EngineError } from "../../../core/errors.ts";
import type { Engine, JobQuery } from "../../../core/jobs/engine.ts";
import type { StopOptions } from "../../../core/jobs/spec.ts";
import { parseSignal } from "../../../core/values/signal.ts";
import {
  CancelJobResponseSchema,
  DeleteJobResponseSchema,
  type DeleteJobsRequest,
  DeleteJobsResponseSchema,
  GetJobResponseSchema,
  JobService,
  type ListJobsRequest,
  ListJobsResponseSchema,
  PlanJobResponseSchema,
  RunJobResponseSchema,
  type StopJobRequest,
  StopJobResponseSchema,
  type StreamLogsRequest,
  type WatchJobRequest,
  WatchJobResponseSchema,
} from "../../../proto/gen/joblet/v1/job_pb.ts";
import { callerOf } from "../../auth/context.ts";
import { jobToChange, jobToRead } from "../job_access.ts";
import { jobToProto, planToProto, specFromProto, statesFromProto } from "./convert.ts";
import { batchToProto, logQueryFromProto } from "./convert_log.ts";
import { msFromDuration } from "./convert_time.ts";
import { changeableOwner, visibleOwner } from "../../auth/policy.ts";
import { permitted } from "../../auth/rights.ts";

/** The service over an engine. @param usersMay rights of callers with the role user, see rights.ts */
export function createJobService(engine: Engine, usersMay: readonly string[] = []): ServiceImpl<typeof JobService> {
  return {
    async runJob(request, context) {
      const caller = callerOf(context.values);
      // The call's signal plays no part: a job lives on when its starter leaves, even in the middle of its start.
      const key = request.idempotencyKey === "" ? {} : { idempotencyKey: request.idempotencyKey };
      const spec = permitted(caller, specFromProto(request.spec), usersMay);
      const job = await engine.run(spec, caller.name, key);
      return create(RunJobResponseSchema, { job: jobToProto(job) });
    },

    planJob(request, context) {
      const caller = callerOf(context.values);
      const spec = permitted(caller, specFromProto(request.spec), usersMay);
      const steps = engine.plan(spec, caller.name).map(planToProto);
      return create(PlanJobResponseSchema, { steps });
    },

    getJob(request, context) {
      const job = jobToRead(engine, request.id, context);
      return create(GetJobResponseSchema, { job: jobToProto(engine.withUsage(job)) });
    },

    listJobs(request, context) {
      const visible = visibleOwner(callerOf(context.values));
      const query = jobQueryFromProto(request);
      if (visible !== undefined && query.owner !== undefined && query.owner !== visible) {
        return create(ListJobsResponseSchema);
      }
      const page = engine.list(visible === undefined ? query : { ...query, owner: visible });
      return create(ListJobsResponseSchema, {
        jobs: page.jobs.map(jobToProto),
        nextPageToken: page.nextPageToken ?? "",
      });
    },

    watchJob: (request, context) => watchJob(engine, request, context),

    streamLogs: (request, context) => streamLogs(engine, request, context),

    async stopJob(request, context) {
      const job = jobToChange(engine, request.id, context);
      const stopped = await engine.stop(job.id, stopOptionsFromProto(request));
      return create(StopJobResponseSchema, { job: jobToProto(stopped) });
    },

    async cancelJob(request, context) {
      const job = jobToChange(engine, request.id, context);
      return create(CancelJobResponseSchema, { job: jobToProto(await engine.cancel(job.id)) });
    },

    async deleteJob(request, context) {
      const job = jobToChange(engine, request.id, context);
      await engine.delete(job.id);
      return create(DeleteJobResponseSchema);
    },

    deleteJobs: (request, context) => deleteJobs(engine, request, context),
  };
}

async function deleteJobs(engine: Engine, request: DeleteJobsRequest, context: HandlerContext) {
  const deletable = changeableOwner(callerOf(context.values));
  if (deletable !== undefined && request.owner !== "" && request.owner !== deletable) {
    return create(DeleteJobsResponseSchema);
  }
  const owner = deletable ?? request.owner;
  const { deleted, skipped } = await engine.deleteAll({
    ...(request.states.length > 0 && { states: statesFromProto(request.states) }),
    ...(owner !== "" && { owner }),
    ...labelsOf(request),
  });
  return create(DeleteJobsResponseSchema, { deleted: BigInt(deleted), skipped: BigInt(skipped) });
}

async function* watchJob(engine: Engine, request: WatchJobRequest, context: HandlerContext) {
  const job = jobToRead(engine, request.id, context);
  for await (const change of engine.watch(job.id, context.signal)) {
    yield create(WatchJobResponseSchema, { job: jobToProto(engine.withUsage(change)) });
  }
  // The engine ends quietly on an abort; a deadline or a shutdown must not look like the job's end.
  context.signal.throwIfAborted();
}

async function* streamLogs(engine: Engine, request: StreamLogsRequest, context: HandlerContext) {
  const job = jobToRead(engine, request.id, context);
  for await (const batch of engine.logs(job.id, logQueryFromProto(request), context.signal)) {
    yield batchToProto(batch);
  }
  context.signal.throwIfAborted();
}

function jobQueryFromProto(request: ListJobsRequest): JobQuery {
  return {
    ...(request.pageSize !== 0 && { pageSize: request.pageSize }),
    ...(request.pageToken !== "" && { pageToken: request.pageToken }),
    ...(request.states.length > 0 && { states: statesFromProto(request.states) }),
    ...(request.owner !== "" && { owner: request.owner }),
    ...(request.name !== "" && { name: request.name }),
    ...labelsOf(request),
    ...(request.scheduledBy !== "" && { scheduledBy: request.scheduledBy }),
  };
}

function labelsOf({ labels }: { readonly labels: Record<string, string> }): Pick<JobQuery, "labels"> {
  return Object.keys(labels).length > 0 ? { labels } : {};
}

function stopOptionsFromProto(request: StopJobRequest): StopOptions {
  return {
    ...(request.signal !== "" && { signal: signalFromProto(request.signal) }),
    ...(request.grace && { graceMs: msFromDuration(request.grace, "grace") }),
  };
}

function signalFromProto(text: string) {
  try {
    return parseSignal(text);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new EngineError("invalid", cause.message, { cause });
  }
}
