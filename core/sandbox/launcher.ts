/**
 * Starts a job's init and learns how that went:
 *
 *   server                      init's process                       program's process
 *   clone3 ───────────────────► walks the init table
 *                               (shares memory with the server)
 *                               execve init ──fork──────────────────► walks the program's table
 *                               waits for the start report ◄───────── execve (report closes) or {errno, step}
 *   status pipe ◄────────────── {0, 0} or {errno, step}
 *
 * A status pipe that ends without a message means that init's process died before: its table tells at which step.
 */
import {
  closeFd,
  constants as c,
  duplicateFd,
  launch,
  LAUNCH_EXTRA_BYTES,
  type Launched,
  type LaunchOptions,
  LaunchTable,
  memoryFile,
  openFd,
  openInit,
  pipe,
  type Poller,
  readFd,
  reapChild,
  STATUS_BYTES,
} from "../../ffi/mod.ts";
import { type FailedStep, programFailure } from "./failure.ts";
import { FIRST_SERVER_FD } from "./init_steps.ts";
import { NetworkPool } from "./network_pool.ts";
import { compileProgram, initSteps, type Plan } from "./plan.ts";
import type { Step } from "./step.ts";

export interface LaunchRequest {
  readonly plan: Plan;
  /** The job's journal, which must exist. */
  readonly journalPath: string;
  /** fd of the job's cgroup folder; stays the caller's. */
  readonly cgroupFd: number;
  /** fd of the job's user namespace; stays the caller's. */
  readonly usersFd: number;
  /** fd of a mount of the folder that is kept as /work, for a job that has one; stays the caller's. */
  readonly workFd?: number;
  /** Makes the steps of init's process. @default {initSteps} */
  readonly makeSteps?: typeof initSteps;
}

/** A job's init that was started. The caller closes the pidfd. */
export interface StartedInit {
  readonly pid: number;
  readonly pidfd: number;
  /** Resolves when the program was executed, or with the step that failed; then the init has ended or is about to. */
  readonly outcome: Promise<FailedStep | undefined>;
}

export class Launcher implements AsyncDisposable {
  readonly #poller: Poller;
  readonly #initsFd: number;
  readonly #reserved: readonly number[];
  readonly #devNull: number;
  readonly #init: number;
  readonly #networks: NetworkPool;
  readonly #rootFd: number;

  /**
   * @param initsFd fd of the cgroup folder that inits are born in; stays the caller's
   * @param rootFd fd of the mount namespace with the jobs' root; stays the caller's
   * @param onError told of failures in the background
   */
  constructor(poller: Poller, initsFd: number, rootFd: number, onError: (error: unknown) => void) {
    this.#poller = poller;
    this.#initsFd = initsFd;
    this.#rootFd = rootFd;
    const devNull = openFd("/dev/null", c.O_RDWR);
    this.#reserved = reserveLowFds(devNull);
    this.#devNull = duplicateFd(devNull, FIRST_SERVER_FD);
    closeFd(devNull);
    const init = openInit();
    this.#init = duplicateFd(init, FIRST_SERVER_FD);
    closeFd(init);
    this.#networks = new NetworkPool(poller, initsFd, onError);
  }

  /** Starts init. @throws {SyscallError} nothing was started */
  start(request: LaunchRequest): StartedInit {
    const fds: number[] = [];
    const own = (fd: number): number => {
      fds.push(fd);
      return fd;
    };
    const status = pipe();
    try {
      own(status.writeEnd);
      const network = request.plan.privateNetwork ? this.#networks.take() : undefined;
      if (network !== undefined) own(network);
      const program = compileProgram(request.plan);
      const programTable = own(memoryFile("program", program.bytes));
      program.wipe();
      const files = {
        status: status.writeEnd,
        journal: own(openFd(request.journalPath, c.O_RDWR)),
        table: programTable,
        cgroup: request.cgroupFd,
        devNull: this.#devNull,
        init: this.#init,
        root: this.#rootFd,
        users: request.usersFd,
        ...(network === undefined ? {} : { network }),
        ...(request.workFd === undefined ? {} : { work: request.workFd }),
      };
      const steps = (request.makeSteps ?? initSteps)(request.plan, files, program.tableBytes);
      const table = new LaunchTable(steps, LAUNCH_EXTRA_BYTES);
      const launched = launchOrWipe(table, { namespaces: request.plan.namespaces, cgroupFd: this.#initsFd });
      return {
        pid: launched.pid,
        pidfd: launched.pidfd,
        outcome: this.#outcome(launched, status.readEnd, steps, request.plan.program),
      };
    } catch (error) {
      closeFd(status.readEnd);
      throw error;
    } finally {
      fds.forEach(closeFd);
    }
  }

  /** Waits for the status pipe. Until then the child may use the table's memory, which this closure keeps alive. */
  #outcome(
    launched: Launched,
    statusFd: number,
    steps: readonly Step[],
    program: readonly Step[],
  ): Promise<FailedStep | undefined> {
    return new Promise((resolve, reject) => {
      const watch = this.#poller.watch(statusFd, c.EPOLLIN, () => {
        try {
          resolve(readOutcome(launched, statusFd, steps, program));
        } catch (error) {
          reject(error);
        } finally {
          watch[Symbol.dispose]();
          closeFd(statusFd);
          // It has executed init or ended, and its table may hold secrets.
          launched.table.wipe();
          // Not before: making one would take turns on the processor with the job's own set-up.
          this.#networks.refill();
        }
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#networks[Symbol.asyncDispose]();
    closeFd(this.#devNull);
    closeFd(this.#init);
    this.#reserved.forEach(closeFd);
  }
}

/** @throws {SyscallError} there is no child, and the table is wiped */
function launchOrWipe(table: LaunchTable, options: LaunchOptions): Launched {
  try {
    return launch(table, options);
  } catch (error) {
    table.wipe();
    throw error;
  }
}

function readOutcome(
  launched: Launched,
  statusFd: number,
  steps: readonly Step[],
  program: readonly Step[],
): FailedStep | undefined {
  const message = new Uint8Array(STATUS_BYTES);
  if (readFd(statusFd, message) < STATUS_BYTES) return initFailure(launched.table, steps, launched.pidfd);
  const view = new DataView(message.buffer);
  return programFailure(view.getUint32(0, true), view.getUint32(4, true), program);
}

/** Where init's process stopped: at a step of its table, or later, in init itself. */
function initFailure(table: LaunchTable, steps: readonly Step[], pidfd: number): FailedStep {
  const result = table.result(table.current);
  if (result !== undefined) return { step: steps[table.current]!.name, errno: Math.max(0, -result), isExec: false };
  const ended = reapChild(pidfd);
  const how = ended === undefined ? "ended" : "signal" in ended ? `was killed by signal ${ended.signal}` : "gave up";
  return { step: `init ${how} before the program was executed`, errno: 0, isExec: false };
}

/** Takes all numbers below FIRST_SERVER_FD that are free, so that no later fd of a launch gets one. */
function reserveLowFds(source: number): number[] {
  const reserved: number[] = [];
  for (;;) {
    const fd = duplicateFd(source, 3);
    if (fd >= FIRST_SERVER_FD) {
      closeFd(fd);
      return reserved;
    }
    reserved.push(fd);
  }
}
