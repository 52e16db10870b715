import type { ExitStatus } from "../jobs/job.ts";

/** Reads a wait status as wait4(2) gives it for a process that has ended. */
export function decodeWaitStatus(status: number): ExitStatus {
  const signal = status & 0x7f;
  return signal === 0 ? { kind: "exited", code: (status >>> 8) & 0xff } : { kind: "signaled", signal };
}
