/** What probes say about results, in their own words. */
import assert from "node:assert/strict";
import type { ProbeResult } from "./probe.ts";

/** Kernel messages of a refusal, by error name. */
const MESSAGES: Readonly<Record<string, RegExp>> = {
  EPERM: /Operation not permitted/,
  EACCES: /Permission denied/,
  EROFS: /Read-only file system/,
  ENOENT: /No such file|Directory nonexistent/,
  ENOSYS: /Function not/,
  ESRCH: /No such process/,
  ETXTBSY: /Text file busy/,
  ENODEV: /No such device/,
};

export function exitCode({ job: { status } }: ProbeResult): number | undefined {
  return "exit" in status && status.exit?.kind === "exited" ? status.exit.code : undefined;
}

export function signal({ job: { status } }: ProbeResult): number | undefined {
  return "exit" in status && status.exit?.kind === "signaled" ? status.exit.signal : undefined;
}

export function reason({ job: { status } }: ProbeResult): string {
  return "reason" in status ? status.reason : status.state;
}

/** Each line of stderr, and at least `times` of them, is one of these refusals. */
export function refusals(result: ProbeResult, times: number, ...errors: string[]): void {
  const lines = result.err.split("\n").filter((line) => line.trim() !== "");
  assert(lines.length >= times, `${times} refusals wanted: ${shown(result)}`);
  for (const line of lines) {
    assert(errors.some((error) => MESSAGES[error]!.test(line)), `not refused by ${errors.join(", ")}: ${line}`);
  }
}

/** Lines `name ERRNO` of stdout: each name once, each with one of these errors. */
export function refusedCalls(result: ProbeResult, names: readonly string[], ...errors: string[]): void {
  const lines = result.out.trim().split("\n");
  assert.deepEqual(lines.map((line) => line.split(" ")[0]), names, shown(result));
  for (const line of lines) assert(errors.includes(line.split(" ")[1]!), line);
}

export function shown({ out, err, job }: ProbeResult): string {
  return JSON.stringify({ out: out.slice(-300), err: err.slice(-300), status: job.status });
}

export function between(value: number, low: number, high: number, what: string): void {
  assert(value >= low && value <= high, `${what}: ${value} is not from ${low} to ${high}`);
}
