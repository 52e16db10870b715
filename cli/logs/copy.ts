import type { Job } from "../../proto/gen/joblet/v1/job_pb.ts";
import type { Connection } from "../context.ts";
import type { ReconnectOptions } from "../reconnect.ts";
import type { LogSink } from "./sink.ts";
import { type LogQuery, streamLogs } from "./stream.ts";

/** Copies a job's output to a sink. @returns the ended job; undefined if the output ended before the job did */
export async function copyLogs(
  connection: Connection,
  query: LogQuery,
  sink: LogSink,
  options: ReconnectOptions,
): Promise<Job | undefined> {
  let ended: Job | undefined;
  try {
    for await (const { frames, endedJob } of streamLogs(connection, query, options)) {
      for (const frame of frames) await sink.frame(frame);
      ended = endedJob;
    }
  } finally {
    // What is held back is shown even if the rest does not come any more.
    await sink.end();
  }
  return ended;
}
