/**
 * Short-lived processes that make a namespace for jobs to come and hand it over: the child shares this process's fd table, so
 * an fd that it opens appears here. It exits when its table ends.
 */
import {
  closeFd,
  constants as c,
  errnoName,
  launch,
  LAUNCH_EXTRA_BYTES,
  LaunchTable,
  type Poller,
  reapChild,
  whenReadable,
} from "../../ffi/mod.ts";
import { EngineError } from "../errors.ts";
import type { Step } from "./step.ts";

export interface SideProcess {
  readonly steps: readonly Step[];
  /** Name of the steps that open the fds. */
  readonly opens: string;
  /** CLONE_NEW* flags that the process is born with. @default {0n} */
  readonly namespaces?: bigint;
  /** Called when it has ended and is not reaped, so that its /proc/PID is still there. */
  readonly whenEnded?: (pid: number) => void;
}

/**
 * Runs the steps. @param cgroupFd cgroup folder that the child is born in @returns the fds, which the caller closes
 * @throws {EngineError} kind "precondition" that names the step that failed, and its errno
 */
export async function runSideProcess(poller: Poller, cgroupFd: number, side: SideProcess): Promise<number[]> {
  const { steps, opens, namespaces = 0n } = side;
  const table = new LaunchTable(steps, LAUNCH_EXTRA_BYTES);
  const { pid, pidfd } = launch(table, { namespaces: namespaces | c.CLONE_FILES, cgroupFd });
  const opened = () =>
    steps.flatMap(({ name }, index) => name === opens ? [table.result(index) ?? -1] : []).filter((fd) => fd >= 0);
  try {
    await whenReadable(poller, pidfd);
    const failed = failureOf(table, steps);
    if (failed !== undefined) throw new EngineError("precondition", failed);
    side.whenEnded?.(pid);
    return opened();
  } catch (error) {
    opened().forEach(closeFd);
    throw error;
  } finally {
    reapChild(pidfd);
    closeFd(pidfd);
  }
}

function failureOf(table: LaunchTable, steps: readonly Step[]): string | undefined {
  // One past the last step: the table's end.
  if (table.current >= steps.length) return undefined;
  const result = table.result(table.current) ?? 0;
  return `${steps[table.current]?.name ?? "begin"}: ${result < 0 ? errnoName(-result) : "it was killed"}`;
}
