/** A job as `jobworker status` shows it. */
import { signalName } from "../../../core/values/signal.ts";
import type { Job } from "../../../proto/gen/joblet/v1/job_pb.ts";
import { isTerminalState, reasonName } from "../../output/state.ts";
import { printable } from "../../output/table.ts";
import { toMs } from "../../output/times.ts";
import { workerState } from "./states.ts";

const UNITS = ["B", "KB", "MB", "GB", "TB"] as const;

/** "0B", "1.5KB", "512MB": binary units, at most one decimal. */
export function shortBytes(bytes: bigint): string {
  let value = Number(bytes);
  let unit = 0;
  while (unit < UNITS.length - 1 && Number(value.toFixed(1)) >= 1024) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toFixed(1))}${UNITS[unit]}`;
}

/** State and usage, and when it has ended, how. What the host can't measure is called so. */
export function statusLines(job: Job): string[] {
  const { usage } = job;
  const size = (bytes: bigint | undefined) => bytes === undefined ? "not measured" : shortBytes(bytes);
  const ended = isTerminalState(job.state);
  const cpu = usage?.cpuUser && usage.cpuSystem
    ? `${Math.round((toMs(usage.cpuUser) + toMs(usage.cpuSystem)) * 1000)} uS`
    : "not measured";
  // What has ended uses no memory any more; the most that it had is what one wants to know.
  return [
    `Status: ${workerState(job.state)}`,
    `CPU Usage: ${cpu}`,
    `Memory Usage: ${size(ended ? usage?.memoryPeakBytes : usage?.memoryBytes)}`,
    `I/O Read: ${size(usage?.ioReadBytes)}`,
    `I/O Write: ${size(usage?.ioWriteBytes)}`,
    ...endLines(job),
  ];
}

function endLines({ exitCode, signal, endReason, startFailure, endDetail }: Job): string[] {
  const reason = reasonName(endReason);
  const detail = startFailure?.message || endDetail;
  return [
    ...(exitCode === undefined ? [] : [`Exit Code: ${exitCode}`]),
    ...(signal === undefined ? [] : [`Signal: ${signal} (${signalName(signal)})`]),
    ...(reason === "" ? [] : [`Reason: ${reason}${detail === "" ? "" : ` (${printable(detail)})`}`]),
  ];
}
