/** A job's output as JSON: an object for each line of a stream. */
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { type LogFrame, LogStream } from "../../../proto/gen/joblet/v1/job_pb.ts";
import { concat } from "../../logs/lines.ts";
import { type LogSink, textOf } from "../../logs/sink.ts";
import { nanosecondTime } from "../../logs/time.ts";
import type { Terminal } from "../../terminal.ts";

/** Bytes of a line in one object; more of it stands in the next ones. */
export const MAX_PIECE_BYTES = 16 * 1024;
const NEWLINE = 10;

/** The line of one stream that has not ended yet. */
interface OpenLine {
  readonly parts: Uint8Array[];
  size: number;
  /** When its first byte was written. */
  time: Timestamp | undefined;
}

/**
 * Prints `{"log","stream","time"}` for each line, without its newline. `"partial":true`: the newline that would end it is
 * not there, as more of the line follows or the output ended. `"base64"`: the exact bytes of a line that is no UTF-8.
 * `"missing_bytes"`: so much of the stream could not be kept.
 */
export function jsonLineSink(terminal: Terminal): LogSink {
  const open: Record<"stdout" | "stderr", OpenLine> = { stdout: emptyLine(), stderr: emptyLine() };
  return {
    frame: async (frame) => {
      const stream = frame.stream === LogStream.STDERR ? "stderr" : "stdout";
      const text = [...linesOf(frame, open, stream)].join("");
      if (text !== "") await terminal.out(text);
    },
    end: async () => {
      for (const stream of ["stdout", "stderr"] as const) {
        if (open[stream].size > 0) await terminal.out(pieceLine(stream, take(open, stream), { partial: true }));
      }
    },
  };
}

function* linesOf(
  { data, time, missingBytes }: LogFrame,
  open: Record<"stdout" | "stderr", OpenLine>,
  stream: "stdout" | "stderr",
): Generator<string> {
  if (missingBytes > 0n) {
    if (open[stream].size > 0) yield pieceLine(stream, take(open, stream), { partial: true });
    yield pieceLine(stream, { data: new Uint8Array(), time }, { missing_bytes: Number(missingBytes) });
  }
  for (let at = 0; at < data.length;) {
    const line = open[stream];
    if (line.size === 0) line.time = time;
    const newline = data.indexOf(NEWLINE, at);
    const end = newline < 0 ? data.length : newline;
    const part = data.subarray(at, Math.min(end, at + MAX_PIECE_BYTES - line.size));
    line.parts.push(part);
    line.size += part.length;
    at += part.length;
    if (at === newline) {
      yield pieceLine(stream, take(open, stream), {});
      at++;
    } else if (line.size === MAX_PIECE_BYTES) {
      const { data: whole, time: began } = take(open, stream);
      const cut = characterBoundary(whole);
      yield pieceLine(stream, { data: whole.subarray(0, cut), time: began }, { partial: true });
      open[stream] = { parts: [whole.slice(cut)], size: whole.length - cut, time };
    }
  }
}

function emptyLine(): OpenLine {
  return { parts: [], size: 0, time: undefined };
}

function take(open: Record<"stdout" | "stderr", OpenLine>, stream: "stdout" | "stderr") {
  const { parts, size, time } = open[stream];
  open[stream] = emptyLine();
  return { data: concat(parts, size), time };
}

/** Where to cut so that no character of UTF-8 is torn: at most three bytes before the end. */
function characterBoundary(data: Uint8Array): number {
  for (let back = 1; back <= 3; back++) {
    const byte = data[data.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? data.length - back : data.length;
  }
  return data.length;
}

interface PieceNotes {
  readonly partial?: true;
  readonly missing_bytes?: number;
}

function pieceLine(
  stream: string,
  { data, time }: { readonly data: Uint8Array; readonly time: Timestamp | undefined },
  notes: PieceNotes,
): string {
  const { text, ...base64 } = textOf(data);
  return `${JSON.stringify({ log: text, stream, time: nanosecondTime(time), ...base64, ...notes })}\n`;
}
