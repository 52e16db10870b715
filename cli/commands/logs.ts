import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { LogStream } from "../../proto/gen/joblet/v1/job_pb.ts";
import { clientCommand } from "../command.ts";
import type { GlobalFlags } from "../context.ts";
import { copyLogs } from "../logs/copy.ts";
import { jsonSink, lineSink, type LogSink, rawSink } from "../logs/sink.ts";
import type { LogQuery } from "../logs/stream.ts";
import type { Terminal } from "../terminal.ts";

export interface LogFlags extends GlobalFlags {
  readonly follow: boolean;
  readonly stream?: LogStream;
  readonly tail?: number;
  readonly since?: Timestamp;
  readonly until?: Timestamp;
  readonly attempt?: number;
  readonly timestamps: boolean;
  readonly grep?: RegExp;
}

/** `joblet logs`, and `joblet job log`, which follows unless told not to. */
export const logs = clientCommand<LogFlags, [string]>(async ({ terminal, pause }, connection, flags, id) => {
  await copyLogs(connection, toQuery(flags, id), toSink(terminal, flags), { pause });
  return 0;
});

function toQuery(flags: LogFlags, id: string): LogQuery {
  const { follow, stream, tail, since, until, attempt } = flags;
  return {
    id,
    follow,
    ...(stream === undefined ? {} : { streams: [stream] }),
    ...(tail === undefined ? {} : { tailLines: tail }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(attempt === undefined ? {} : { attempt }),
  };
}

function toSink(terminal: Terminal, { json, timestamps, grep }: LogFlags): LogSink {
  if (json) return jsonSink(terminal, grep);
  if (!timestamps && !grep) return rawSink(terminal);
  return lineSink(terminal, { timestamps, ...(grep ? { grep } : {}) });
}
