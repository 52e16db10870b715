/** jobworker.JobWorker: a view of the engine in the words of the job worker service. */
import { create } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { Engine } from "../../../core/jobs/engine.ts";
import {
  type JobId,
  JobOutputResponseSchema,
  JobWorker,
  type ListJobsRequest,
  ListJobsResponse_JobListSchema,
  ListJobsResponseSchema,
  StartJobResponseSchema,
} from "../../../proto/gen/jobworker/jobworker_pb.ts";
import { callerOf } from "../../auth/context.ts";
import { visibleOwner } from "../../auth/policy.ts";
import { allJobs } from "../all_jobs.ts";
import { jobToChange, jobToRead } from "../job_access.ts";
import { rawOutput } from "../raw_output.ts";
import { assertStarted } from "../start_failure.ts";
import { inputOf, statusOf, statusResponse, stopResponse } from "./convert.ts";

export function createJobWorker(engine: Engine): ServiceImpl<typeof JobWorker> {
  return {
    async startJob(request, context) {
      // Nothing in this request needs a right of its own.
      const job = assertStarted(await engine.run(inputOf(request), callerOf(context.values).name));
      return create(StartJobResponseSchema, { id: job.id, status: statusOf(job) });
    },

    async stopJob(request, context) {
      const job = jobToChange(engine, request.id, context);
      return stopResponse(await engine.stop(job.id));
    },

    getJobStatus: (request, context) => watchStatus(engine, request, context),

    getJobOutput: (request, context) => streamOutput(engine, request, context),

    listJobs: (request, context) => listJobs(engine, request, context),
  };
}

async function* watchStatus(engine: Engine, request: JobId, context: HandlerContext) {
  const job = jobToRead(engine, request.id, context);
  for await (const change of engine.watch(job.id, context.signal)) yield statusResponse(engine.withUsage(change));
  context.signal.throwIfAborted();
}

async function* streamOutput(engine: Engine, request: JobId, context: HandlerContext) {
  const job = jobToRead(engine, request.id, context);
  for await (const data of rawOutput(engine, job.id, context.signal)) yield create(JobOutputResponseSchema, { data });
}

function listJobs(engine: Engine, { userIds }: ListJobsRequest, context: HandlerContext) {
  const visible = visibleOwner(callerOf(context.values));
  const wanted = new Set(userIds);
  const response = create(ListJobsResponseSchema);
  for (const { id, owner } of allJobs(engine, visible === undefined ? {} : { owner: visible })) {
    if (wanted.size > 0 && !wanted.has(owner)) continue;
    // An owner may be called "constructor".
    const list = Object.hasOwn(response.jobs, owner) ? response.jobs[owner] : undefined;
    if (list) list.jobIds.push(id);
    else response.jobs[owner] = create(ListJobsResponse_JobListSchema, { jobIds: [id] });
  }
  return response;
}
