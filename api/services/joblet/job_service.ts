/** joblet.JobService: a view of the engine in the words of Joblet's public API, v2.5.8. */
import { create } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { Engine } from "../../../core/jobs/engine.ts";
import {
  CancelJobResponseSchema,
  DataChunkSchema,
  DeleteAllJobsResponseSchema,
  DeleteJobResponseSchema,
  type GetJobLogsRequest,
  JobService,
  JobsSchema,
  RunJobResponseSchema,
} from "../../../proto/gen/joblet/joblet_pb.ts";
import { callerOf } from "../../auth/context.ts";
import { changeableOwner, visibleOwner } from "../../auth/policy.ts";
import { permitted } from "../../auth/rights.ts";
import { allJobs } from "../all_jobs.ts";
import { jobToChange, jobToRead } from "../job_access.ts";
import { rawOutput } from "../raw_output.ts";
import { assertStarted } from "../start_failure.ts";
import { inputOf, jobMessage, notThere, statusMessage, statusText, stopMessage } from "./convert.ts";

export interface JobletOptions {
  /** Rights of callers with the role user, see rights.ts. */
  readonly usersMay: readonly string[];
  /** Told as the node of each job. */
  readonly nodeId: string;
}

export function createJobletJobService(engine: Engine, options: JobletOptions): ServiceImpl<typeof JobService> {
  const { usersMay, nodeId } = options;
  const read = (uuid: string, context: HandlerContext) => jobToRead(engine, uuid, context, "uuid");
  const change = (uuid: string, context: HandlerContext) => jobToChange(engine, uuid, context, "uuid");
  return {
    async runJob(request, context) {
      const caller = callerOf(context.values);
      const job = assertStarted(await engine.run(permitted(caller, inputOf(request), usersMay), caller.name));
      return create(RunJobResponseSchema, { jobUuid: job.id, status: statusText(job) });
    },

    getJobStatus: ({ uuid }, context) => statusMessage(read(uuid, context), nodeId),

    async stopJob({ uuid }, context) {
      return stopMessage(await engine.stop(change(uuid, context).id));
    },

    async cancelJob({ uuid }, context) {
      const job = await engine.cancel(change(uuid, context).id);
      return create(CancelJobResponseSchema, { uuid: job.id, status: statusText(job) });
    },

    async deleteJob({ uuid }, context) {
      const { id } = change(uuid, context);
      await engine.delete(id);
      return create(DeleteJobResponseSchema, { uuid: id, success: true, message: `Job ${id} is deleted` });
    },

    async deleteAllJobs(_request, context) {
      const owner = changeableOwner(callerOf(context.values));
      const { deleted, skipped } = await engine.deleteAll(owner === undefined ? {} : { owner });
      const message = `${deleted} jobs are deleted, ${skipped} have not ended`;
      return create(DeleteAllJobsResponseSchema, {
        success: true,
        message,
        deletedCount: deleted,
        skippedCount: skipped,
      });
    },

    getJobLogs: (request, context) => streamLogs(engine, request, context),

    listJobs(_request, context) {
      const owner = visibleOwner(callerOf(context.values));
      const jobs = allJobs(engine, owner === undefined ? {} : { owner });
      return create(JobsSchema, { jobs: jobs.map((job) => jobMessage(job, nodeId)) });
    },

    ...missing(read),
  };
}

async function* streamLogs(engine: Engine, { uuid }: GetJobLogsRequest, context: HandlerContext) {
  const job = jobToRead(engine, uuid, context, "uuid");
  for await (const payload of rawOutput(engine, job.id, context.signal)) yield create(DataChunkSchema, { payload });
}

interface JobRequest {
  readonly jobUuid: string;
}

/** @param read refuses foreign jobs, also here */
function missing(read: (uuid: string, context: HandlerContext) => unknown) {
  const metrics = ({ jobUuid }: JobRequest, context: HandlerContext) => {
    read(jobUuid, context);
    throw notThere("read metrics of a job", "metrics");
  };
  const telematics = ({ jobUuid }: JobRequest, context: HandlerContext) => {
    read(jobUuid, context);
    throw notThere("read telematics of a job", "telematics");
  };
  return {
    streamJobMetrics: metrics,
    getJobMetrics: metrics,
    streamJobTelematics: telematics,
    getJobTelematics: telematics,
  };
}
