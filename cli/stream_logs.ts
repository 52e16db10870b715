/** Copies a job's output to this process's stdout and stderr, through broken connections, without gap or repetition. */
import { Code, ConnectError } from "@connectrpc/connect";
import { type Job, type LogFrame, LogStream } from "../proto/gen/joblet/v1/job_pb.ts";
import type { Connection } from "./context.ts";
import { isUnreachable } from "./errors.ts";
import type { Terminal } from "./terminal.ts";

export interface CopyOptions {
  readonly follow: boolean;
  readonly streams?: readonly LogStream[];
  /** @default stops only at the end */
  readonly signal?: AbortSignal;
  /** The server has answered before: if it is away now, it may come back. @default {false} */
  readonly reached?: boolean;
}

/** Waits between attempts to reconnect: 10 s in all, long enough for a restart of the server. */
const RETRY_DELAYS_MS = [100, 200, 400, 800, 1500, 2000, 2500, 2500];

/** @returns the ended job; undefined if the copy ended before the job did @throws {ConnectError} */
export async function copyLogs(
  connection: Connection,
  id: string,
  terminal: Terminal,
  options: CopyOptions,
): Promise<Job | undefined> {
  let offset = 0n;
  let attempts = 0;
  let reached = options.reached ?? false;
  for (;;) {
    // Leaving the loop early does not cancel the call by itself.
    const abort = new AbortController();
    const signal = options.signal ? AbortSignal.any([abort.signal, options.signal]) : abort.signal;
    const request = { id, offset, follow: options.follow, streams: [...options.streams ?? []] };
    try {
      for await (const message of connection.jobs.streamLogs(request, { signal })) {
        for (const frame of message.frames) await showFrame(frame, terminal);
        offset = message.nextOffset;
        attempts = 0;
        reached = true;
        if (message.endedJob) return message.endedJob;
      }
      return undefined;
    } catch (error) {
      // A server that was never there is not waited for.
      if (!reached && isUnreachable(error)) throw error;
      const delay = RETRY_DELAYS_MS[attempts++];
      if (delay === undefined || !isBroken(error)) throw error;
      reached = true;
      await new Promise((resolve) => setTimeout(resolve, delay));
    } finally {
      abort.abort();
    }
  }
}

/** Whether the connection broke, rather than the server refused. */
function isBroken(error: unknown): boolean {
  if (error instanceof Deno.errors.BrokenPipe) return false;
  if (!(error instanceof ConnectError)) return error instanceof TypeError;
  return error.code === Code.Unavailable || error.code === Code.Unknown || error.code === Code.Aborted;
}

async function showFrame(frame: LogFrame, terminal: Terminal): Promise<void> {
  if (frame.missingBytes > 0n) {
    const stream = frame.stream === LogStream.STDERR ? "stderr" : "stdout";
    await terminal.err(`joblet: ${frame.missingBytes} bytes of ${stream} are missing here\n`);
  }
  if (frame.data.length === 0) return;
  await (frame.stream === LogStream.STDERR ? terminal.err(frame.data) : terminal.out(frame.data));
}
