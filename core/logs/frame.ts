/**
 * A frame of a journal, version 1, all little endian; the job's init appends them, each with one write. Where there is a
 * cap, init also writes a removed frame over the first one, and again when more is removed (ffi/native/journal_trim.h).
 *
 *   0 u32 checksum | 4 u32 n | 8 u64 time, ns | 16 u16 type | 18 u16 flags | 20 u32 sequence | 24 payload of n bytes
 *
 * A frame's checksum is the XXH32 of its bytes from 4 on, seeded with the low 32 bits of its offset in the file. So bytes
 * that look like a frame but stand at another place (a copy in a program's output, an offset off a boundary) don't pass.
 */
import { JOURNAL_HEADER_SIZE } from "./journal_header.ts";
import type { LogStreamName } from "./log.ts";
import { xxh32Range } from "./xxh32.ts";

export const FRAME_HEADER_SIZE = 24;
/** Longest payload of a frame, in bytes. */
export const MAX_PAYLOAD = 65536;
/** Size of an exit frame: the last one of a whole journal of a job that ran. */
export const EXIT_FRAME_SIZE = FRAME_HEADER_SIZE + 48;
/** Size of a start-failed frame: the last one of a whole journal of a job that did not run. */
export const START_FAILED_FRAME_SIZE = FRAME_HEADER_SIZE + 8;

export const FrameType = {
  stdout: 1,
  stderr: 2,
  started: 3,
  startFailed: 4,
  exit: 5,
  gap: 6,
  timeout: 7,
  removed: 8,
} as const;

/** Size of a removed frame. */
export const REMOVED_FRAME_SIZE = FRAME_HEADER_SIZE + 32;
/** Where a removed frame stands: in place of the journal's first frame, and nowhere else. */
export const REMOVED_FRAME_OFFSET = JOURNAL_HEADER_SIZE;

/** Bit of a removed frame's header flags: a timeout frame is among those that are gone. */
const REMOVED_TIMEOUT = 1;

/** Bits of an exit frame's flags. */
const EXIT_TIMED_OUT = 1;
const EXIT_SIGNAL_PASSED_ON = 2;

/** Payload size of each type; absent where it varies. */
const PAYLOAD_SIZE: Readonly<Record<number, number>> = { 3: 0, 4: 8, 5: 48, 6: 24, 7: 0, 8: 32 };

/** What the job's processes used, as the kernel gave it to init. */
export interface JournalUsage {
  readonly userCpuUs: number;
  readonly systemCpuUs: number;
  readonly maxRssBytes: number;
}

/** What a frame says. */
export type FrameBody =
  | { readonly type: "output"; readonly stream: LogStreamName; readonly data: Uint8Array<ArrayBuffer> }
  /** The program was executed. */
  | { readonly type: "started" }
  /** `step` is the index into the plan's steps of the program process. */
  | { readonly type: "start_failed"; readonly errno: number; readonly step: number }
  | {
    readonly type: "exit";
    /** As wait4 gives it. */
    readonly waitStatus: number;
    /** The timeout had fired. */
    readonly timedOut: boolean;
    /** A signal from the server was passed on to the program while it lived. */
    readonly signalPassedOn: boolean;
    readonly usage: JournalUsage;
    readonly stdoutBytes: number;
    readonly stderrBytes: number;
  }
  | {
    readonly type: "gap";
    readonly stream: LogStreamName;
    readonly reason: "unwritten" | "removed";
    readonly missingBytes: number;
    /** 0 if none. */
    readonly errno: number;
  }
  /** The job's time was up, its first signal was sent. */
  | { readonly type: "timeout" }
  | RemovedBody;

/** The oldest frames are gone, to keep to the cap; its time is that of the last of them. */
export interface RemovedBody {
  readonly type: "removed";
  /** Bytes of output that the program wrote before `nextOffset`, from its beginning on. */
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  /** Where the first frame stands that is kept. */
  readonly nextOffset: number;
  /** Time of the started frame, if it is gone; else 0. */
  readonly startedNs: bigint;
  /** The timeout frame is gone. */
  readonly timeout: boolean;
}

export interface FrameHead {
  /** Position in the file. */
  readonly offset: number;
  /** Header and payload, in bytes. */
  readonly size: number;
  /** Nanoseconds since the epoch. */
  readonly timeNs: bigint;
  /** From 0, wraps at 2^32. */
  readonly sequence: number;
}

export type Frame = FrameHead & FrameBody;

/** Whether nothing follows this frame. */
export function isLastFrame(frame: FrameBody): boolean {
  return frame.type === "exit" || frame.type === "start_failed";
}

/** One frame as it stands at `head.offset`. @throws {RangeError} if the payload is too long */
export function encodeFrame(body: FrameBody, head: Omit<FrameHead, "size">): Uint8Array<ArrayBuffer> {
  const payload = encodePayload(body);
  if (payload.length > MAX_PAYLOAD) {
    throw new RangeError(`Cannot write a frame of ${payload.length} bytes: at most ${MAX_PAYLOAD} fit`);
  }
  const bytes = new Uint8Array(FRAME_HEADER_SIZE + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, payload.length, true);
  view.setBigUint64(8, head.timeNs, true);
  view.setUint16(16, typeNumber(body), true);
  if (body.type === "removed" && body.timeout) view.setUint16(18, REMOVED_TIMEOUT, true);
  view.setUint32(20, head.sequence, true);
  bytes.set(payload, FRAME_HEADER_SIZE);
  view.setUint32(0, xxh32Range(view, 4, bytes.length, head.offset), true);
  return bytes;
}

function typeNumber(body: FrameBody): number {
  if (body.type === "output") return FrameType[body.stream];
  return body.type === "start_failed" ? FrameType.startFailed : FrameType[body.type];
}

function encodePayload(body: FrameBody): Uint8Array {
  if (body.type === "output") return body.data;
  const payload = new Uint8Array(PAYLOAD_SIZE[typeNumber(body)]!);
  const view = new DataView(payload.buffer);
  if (body.type === "start_failed") {
    view.setUint32(0, body.errno, true);
    view.setUint32(4, body.step, true);
  } else if (body.type === "exit") {
    view.setUint32(0, body.waitStatus, true);
    view.setUint32(4, (body.timedOut ? EXIT_TIMED_OUT : 0) | (body.signalPassedOn ? EXIT_SIGNAL_PASSED_ON : 0), true);
    const { userCpuUs, systemCpuUs, maxRssBytes } = body.usage;
    [userCpuUs, systemCpuUs, maxRssBytes, body.stdoutBytes, body.stderrBytes].forEach((value, i) => {
      view.setBigUint64(8 + 8 * i, BigInt(value), true);
    });
  } else if (body.type === "gap") {
    view.setUint32(0, FrameType[body.stream], true);
    view.setUint32(4, body.reason === "unwritten" ? 1 : 2, true);
    view.setBigUint64(8, BigInt(body.missingBytes), true);
    view.setUint32(16, body.errno, true);
  } else if (body.type === "removed") {
    view.setBigUint64(0, BigInt(body.stdoutBytes), true);
    view.setBigUint64(8, BigInt(body.stderrBytes), true);
    view.setBigUint64(16, BigInt(body.nextOffset), true);
    view.setBigUint64(24, body.startedNs, true);
  }
  return payload;
}

/** Why the bytes at a place are no frame, or null if their header could be one's. */
export function headerProblem(view: DataView, at: number): string | null {
  const length = view.getUint32(at + 4, true);
  const type = view.getUint16(at + 16, true);
  if (length > MAX_PAYLOAD) return `length ${length} is over ${MAX_PAYLOAD}`;
  if (type < FrameType.stdout || type > FrameType.removed) return `type ${type} is unknown`;
  if (view.getUint16(at + 18, true) > (type === FrameType.removed ? REMOVED_TIMEOUT : 0)) return "flags are set";
  if (length !== (PAYLOAD_SIZE[type] ?? length)) return `length ${length} does not fit type ${type}`;
  return null;
}

/** What a checked payload says, or null if it says what no version 1 frame can. */
export function decodeBody(view: DataView, at: number, buffer: Uint8Array<ArrayBuffer>): FrameBody | null {
  const start = at + FRAME_HEADER_SIZE;
  switch (view.getUint16(at + 16, true)) {
    case FrameType.stdout:
      return { type: "output", stream: "stdout", data: buffer.subarray(start, start + view.getUint32(at + 4, true)) };
    case FrameType.stderr:
      return { type: "output", stream: "stderr", data: buffer.subarray(start, start + view.getUint32(at + 4, true)) };
    case FrameType.started:
      return { type: "started" };
    case FrameType.startFailed:
      return { type: "start_failed", errno: view.getUint32(start, true), step: view.getUint32(start + 4, true) };
    case FrameType.exit:
      return decodeExit(view, start);
    case FrameType.gap:
      return decodeGap(view, start);
    case FrameType.removed:
      return {
        type: "removed",
        stdoutBytes: Number(view.getBigUint64(start, true)),
        stderrBytes: Number(view.getBigUint64(start + 8, true)),
        nextOffset: Number(view.getBigUint64(start + 16, true)),
        startedNs: view.getBigUint64(start + 24, true),
        timeout: view.getUint16(at + 18, true) === REMOVED_TIMEOUT,
      };
    default:
      return { type: "timeout" };
  }
}

function decodeExit(view: DataView, start: number): FrameBody {
  const count = (i: number) => Number(view.getBigUint64(start + 8 + 8 * i, true));
  return {
    type: "exit",
    waitStatus: view.getUint32(start, true),
    timedOut: (view.getUint32(start + 4, true) & EXIT_TIMED_OUT) !== 0,
    signalPassedOn: (view.getUint32(start + 4, true) & EXIT_SIGNAL_PASSED_ON) !== 0,
    usage: { userCpuUs: count(0), systemCpuUs: count(1), maxRssBytes: count(2) },
    stdoutBytes: count(3),
    stderrBytes: count(4),
  };
}

function decodeGap(view: DataView, start: number): FrameBody | null {
  const stream = view.getUint32(start, true);
  const reason = view.getUint32(start + 4, true);
  if (stream !== FrameType.stdout && stream !== FrameType.stderr) return null;
  if (reason !== 1 && reason !== 2) return null;
  return {
    type: "gap",
    stream: stream === FrameType.stdout ? "stdout" : "stderr",
    reason: reason === 1 ? "unwritten" : "removed",
    missingBytes: Number(view.getBigUint64(start + 8, true)),
    errno: view.getUint32(start + 16, true),
  };
}
