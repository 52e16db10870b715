/** Output of jobs, from the core to the wire. The bytes themselves are handed on, not copied. */
import { create } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { EngineError } from "../../../core/errors.ts";
import type { LogBatch, LogPiece, LogQuery, LogStreamName } from "../../../core/logs/log.ts";
import {
  type LogFrame,
  LogFrameSchema,
  LogStream,
  type StreamLogsRequest,
  type StreamLogsResponse,
  StreamLogsResponseSchema,
} from "../../../proto/gen/joblet/v1/job_pb.ts";
import { jobToProto } from "./convert.ts";
import { nsFromTimestamp } from "./convert_time.ts";

const NS_PER_SECOND = 1_000_000_000n;

/** Which output is wanted. @throws {EngineError} kind "invalid" */
export function logQueryFromProto(request: StreamLogsRequest): LogQuery {
  if (request.offset > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new EngineError("invalid", `Cannot read from offset ${request.offset}: it must be 0 or a next_offset`);
  }
  return {
    offset: Number(request.offset),
    follow: request.follow,
    streams: [...new Set(request.streams.map(streamFromProto))],
    ...(request.tailLines !== 0 && { tailLines: request.tailLines }),
    ...(request.since && { sinceNs: nsFromTimestamp(request.since, "since") }),
    ...(request.until && { untilNs: nsFromTimestamp(request.until, "until") }),
    ...(request.attempt !== 0 && { attempt: request.attempt }),
  };
}

function streamFromProto(stream: LogStream): LogStreamName {
  if (stream === LogStream.STDOUT) return "stdout";
  if (stream === LogStream.STDERR) return "stderr";
  throw new EngineError("invalid", `Cannot read stream ${stream}: it must be LOG_STREAM_STDOUT or LOG_STREAM_STDERR`);
}

/** A batch of output as one message. */
export function batchToProto(batch: LogBatch): StreamLogsResponse {
  const message = create(StreamLogsResponseSchema);
  message.frames = batch.pieces.map((piece) => pieceToProto(piece, batch.attempt));
  message.nextOffset = BigInt(batch.nextOffset);
  if (batch.endedJob) message.endedJob = jobToProto(batch.endedJob);
  return message;
}

function pieceToProto(piece: LogPiece, attempt: number): LogFrame {
  // Set field by field: this runs for every piece of output, and `create` with values looks each one up.
  const time = create(TimestampSchema);
  time.seconds = piece.timeNs / NS_PER_SECOND;
  time.nanos = Number(piece.timeNs % NS_PER_SECOND);
  const frame = create(LogFrameSchema);
  frame.offset = BigInt(piece.offset);
  frame.stream = piece.stream === "stdout" ? LogStream.STDOUT : LogStream.STDERR;
  frame.time = time;
  frame.data = piece.data;
  frame.missingBytes = BigInt(piece.missingBytes);
  frame.attempt = attempt;
  return frame;
}
