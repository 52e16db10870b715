import { LogStream } from "../../proto/gen/joblet/v1/job_pb.ts";

/** "stdout" or "stderr". @throws {RangeError} */
export function parseStream(text: string): LogStream {
  if (text === "stdout") return LogStream.STDOUT;
  if (text === "stderr") return LogStream.STDERR;
  throw new RangeError(`Cannot use --stream '${text}': it must be stdout or stderr`);
}
