/** Values of the flags of `logs`. */
import { LogStream } from "../../proto/gen/joblet/v1/job_pb.ts";

/** "stdout" or "stderr". @throws {RangeError} */
export function parseStream(text: string): LogStream {
  if (text === "stdout") return LogStream.STDOUT;
  if (text === "stderr") return LogStream.STDERR;
  throw new RangeError(`Cannot use --stream '${text}': it must be stdout or stderr`);
}

/** @throws {RangeError} in one line */
export function parsePattern(text: string): RegExp {
  try {
    return new RegExp(text, "u");
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new RangeError(`Cannot use --grep '${text}': it must be a JavaScript regular expression (flag u)`);
  }
}
