/** A job's output as the server sends it, through broken connections, without gap or repetition. */
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { LogStream, StreamLogsResponse } from "../../proto/gen/joblet/v1/job_pb.ts";
import type { Connection } from "../context.ts";
import { type ReconnectOptions, Reconnector } from "../reconnect.ts";

/** Which part of a job's output is wanted. */
export interface LogQuery {
  readonly id: string;
  /** Stay until the job has ended. */
  readonly follow: boolean;
  /** Absent or empty: both. */
  readonly streams?: readonly LogStream[];
  /** Start with the last so many lines. */
  readonly tailLines?: number;
  readonly since?: Timestamp;
  readonly until?: Timestamp;
  /** Only this attempt's. */
  readonly attempt?: number;
}

/** @throws {ConnectError} the server refused, or the connection stayed broken */
export async function* streamLogs(
  connection: Connection,
  query: LogQuery,
  options: ReconnectOptions,
): AsyncGenerator<StreamLogsResponse> {
  const { tailLines = 0, streams = [], attempt = 0, ...rest } = query;
  const reconnector = new Reconnector(options);
  let position = { offset: 0n, tailLines };
  for (;;) {
    // Leaving the loop early does not cancel the call by itself.
    const abort = new AbortController();
    try {
      const request = { ...rest, ...position, streams: [...streams], attempt };
      for await (const message of connection.jobs.streamLogs(request, { signal: abort.signal })) {
        // Before it is handed out: what the reader throws must not be taken for the connection's failure.
        position = { offset: message.nextOffset, tailLines: 0 };
        reconnector.succeeded();
        yield message;
        if (message.endedJob) return;
      }
      return;
    } catch (error) {
      await reconnector.failed(error);
    } finally {
      abort.abort();
    }
  }
}
