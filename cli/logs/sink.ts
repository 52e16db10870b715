/** Where output goes: as it is, as lines, or as JSON. */
import { type LogFrame, LogStream } from "../../proto/gen/joblet/v1/job_pb.ts";
import type { Terminal } from "../terminal.ts";
import { concat, LineSplitter, type LogLine } from "./lines.ts";
import { nanosecondTime } from "./time.ts";

export interface LogSink {
  frame(frame: LogFrame): Promise<void>;
  /** No more comes, because the output has ended or the connection has. */
  end(): Promise<void>;
}

/** Bytes as they come, each stream to its own output. */
export function rawSink(terminal: Terminal): LogSink {
  return {
    frame: async (frame) => {
      await tellGap(terminal, frame);
      if (frame.data.length > 0) await write(terminal, frame.stream, frame.data);
    },
    end: async () => {},
  };
}

/** Bytes as they come, both streams to stdout in the order in which they were written. */
export function mergedSink(terminal: Terminal): LogSink {
  return {
    frame: async (frame) => {
      await tellGap(terminal, frame);
      if (frame.data.length > 0) await terminal.out(frame.data);
    },
    end: async () => {},
  };
}

export interface LineOptions {
  /** Begin each line with its time. */
  readonly timestamps: boolean;
  /** Only lines that match. */
  readonly grep?: RegExp;
}

/** Whole lines: chosen, with their times, otherwise byte for byte. */
export function lineSink(terminal: Terminal, { timestamps, grep }: LineOptions): LogSink {
  const choice = new LineChoice(grep);
  const render = (lines: Iterable<LogLine>) =>
    [...choice.of(lines)].flatMap((line) => {
      const prefix = timestamps && !line.continued ? `${nanosecondTime(line.time)} ` : "";
      return [{ stream: line.stream, data: encoder.encode(prefix) }, { stream: line.stream, data: line.data }];
    });
  return forLines({
    gap: (frame) => tellGap(terminal, frame),
    show: async (lines) => {
      const parts = render(lines);
      for (const stream of [LogStream.STDOUT, LogStream.STDERR]) {
        const data = parts.filter((part) => part.stream === stream).map((part) => part.data);
        const size = data.reduce((sum, { length }) => sum + length, 0);
        if (size > 0) await write(terminal, stream, concat(data, size));
      }
    },
  });
}

/** An object for each piece, or, where lines are chosen, for each line. */
export function jsonSink(terminal: Terminal, grep?: RegExp): LogSink {
  const print = (piece: Parameters<typeof pieceJson>[0]) => terminal.out(`${JSON.stringify(pieceJson(piece))}\n`);
  if (!grep) return { frame: print, end: async () => {} };
  const choice = new LineChoice(grep);
  return forLines({
    gap: async (frame) => frame.missingBytes > 0n ? await print(frame) : undefined,
    show: async (lines) => {
      for (const line of choice.of(lines)) await print({ ...line, missingBytes: 0n });
    },
  });
}

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const loose = new TextDecoder("utf-8", { ignoreBOM: true });

interface LineOutput {
  gap(frame: LogFrame): Promise<void>;
  /** Takes the lines of one frame. */
  show(lines: Iterable<LogLine>): Promise<void>;
}

function forLines({ gap, show }: LineOutput): LogSink {
  const splitter = new LineSplitter();
  return {
    frame: async (frame) => {
      await show(splitter.push(frame));
      await gap(frame);
    },
    end: () => show(splitter.end()),
  };
}

/** Chooses lines; of one that comes in pieces the first decides. */
class LineChoice {
  readonly #chosen = new Map<LogStream, boolean>();

  constructor(readonly pattern: RegExp | undefined) {}

  *of(lines: Iterable<LogLine>): Generator<LogLine> {
    for (const line of lines) {
      if (!line.continued) this.#chosen.set(line.stream, this.#fits(line.data));
      if (this.#chosen.get(line.stream)) yield line;
    }
  }

  #fits(data: Uint8Array): boolean {
    if (!this.pattern) return true;
    return this.pattern.test(loose.decode(data.at(-1) === 10 ? data.subarray(0, -1) : data));
  }
}

/** The bytes as text; those that are no UTF-8 are kept in base64 beside it. */
export function textOf(data: Uint8Array): { readonly text: string; readonly base64?: string } {
  try {
    return { text: strict.decode(data) };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { text: loose.decode(data), base64: (data as Uint8Array<ArrayBuffer>).toBase64() };
  }
}

function pieceJson({ time, stream, data, offset, missingBytes, attempt }: Omit<LogFrame, "$typeName">) {
  const { text, ...base64 } = textOf(data);
  return {
    time: time ? nanosecondTime(time) : null,
    stream: LogStream[stream]?.toLowerCase(),
    log: text,
    ...base64,
    ...(missingBytes > 0n ? { missing_bytes: Number(missingBytes) } : {}),
    offset: Number(offset),
    attempt,
  };
}

async function tellGap(terminal: Terminal, { missingBytes, stream }: LogFrame): Promise<void> {
  if (missingBytes === 0n) return;
  const name = stream === LogStream.STDERR ? "stderr" : "stdout";
  await terminal.err(`${terminal.program}: ${missingBytes} bytes of ${name} are missing here\n`);
}

async function write(terminal: Terminal, stream: LogStream, data: Uint8Array): Promise<void> {
  await (stream === LogStream.STDERR ? terminal.err(data) : terminal.out(data));
}
