/** A job's start as plain data: the one place that says what a sandbox is. It can be printed, compared and launched. */
import { LaunchTable } from "../../ffi/mod.ts";
import { constants as c } from "../../ffi/mod.ts";
import { MIN_LOG_BYTES } from "../config.ts";
import type { JobSpec, NetworkMode } from "../jobs/spec.ts";
import { JOB_USER } from "./etc_template.ts";
import { execInitStep, fdSteps, type LaunchFds, type RootOptions, rootSteps } from "./init_steps.ts";
import { programSteps } from "./program_steps.ts";
import type { Step } from "./step.ts";

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What the host gives to every sandbox. */
export type HostOptions =
  & Pick<RootOptions, "mountPoint" | "entries" | "etc" | "uid" | "gid" | "workBytes" | "tmpBytes">
  & {
    readonly lastCapability: number;
    readonly shielded: boolean;
    readonly graceMs: number;
    /** Most bytes that a run's journal keeps: 0 for no limit, or at least MIN_LOG_BYTES. */
    readonly logBytes: number;
  };

export interface Plan {
  /** CLONE_NEW* flags that the job's first process is born with: only those that it can't take on by itself. */
  readonly namespaces: bigint;
  /** The first of the init steps makes a network namespace, unless one made ahead of time is used. */
  readonly privateNetwork: boolean;
  /** Steps of the process that becomes init, without those that move fds and execute it. */
  readonly init: readonly Step[];
  /** Steps of the process that becomes the program. */
  readonly program: readonly Step[];
  /** init's arguments but for the size of the program's table. */
  readonly jobId: string;
  readonly timeoutMs: number;
  readonly graceMs: number;
  readonly logBytes: number;
}

/** Environment of a job's program: nothing of the server's. A name given in the spec wins. */
export function jobEnvironment(spec: JobSpec, jobId: string): Record<string, string> {
  return {
    PATH: DEFAULT_PATH,
    HOME: "/work",
    USER: JOB_USER,
    LOGNAME: JOB_USER,
    LANG: "C.UTF-8",
    JOBLET_JOB_ID: jobId,
    ...spec.env,
  };
}

/** Of the kinds that clone3 could make too: in the child they cost the server's thread nothing. */
const NAMESPACES = c.CLONE_NEWNS | c.CLONE_NEWIPC | c.CLONE_NEWUTS;
const NETWORK_NAMESPACE: Readonly<Record<NetworkMode, bigint>> = { none: c.CLONE_NEWNET, host: 0n };

function namespaceStep(flags: bigint): Step {
  return { name: "make namespaces", call: "unshare", args: [flags] };
}

/** @throws {RangeError} if the host's `logBytes` is no number of bytes that init can keep to */
export function makePlan(spec: JobSpec, jobId: string, host: HostOptions): Plan {
  if (host.logBytes !== 0 && !(Number.isSafeInteger(host.logBytes) && host.logBytes >= MIN_LOG_BYTES)) {
    throw new RangeError(`Cannot keep ${host.logBytes} bytes of output: it must be 0 or at least ${MIN_LOG_BYTES}`);
  }
  const hostname = `job-${jobId.slice(0, 8)}`;
  return {
    namespaces: c.CLONE_NEWPID,
    init: [
      namespaceStep(NAMESPACES | NETWORK_NAMESPACE[spec.network]),
      ...rootSteps({ ...host, hostname, network: spec.network }),
    ],
    privateNetwork: spec.network === "none",
    program: programSteps({
      command: spec.command,
      args: spec.args,
      env: jobEnvironment(spec, jobId),
      workdir: spec.workdir,
      uid: host.uid,
      gid: host.gid,
      lastCapability: host.lastCapability,
      shielded: host.shielded,
    }),
    jobId,
    timeoutMs: spec.timeoutMs ?? 0,
    graceMs: host.graceMs,
    logBytes: host.logBytes,
  };
}

/** The program's table, for init to map. */
export function compileProgram(plan: Plan): LaunchTable {
  return new LaunchTable(plan.program);
}

/** The step that makes namespaces, for a process that has entered a network namespace already. */
function withoutNetwork(step: Step): Step {
  return step.call === "unshare" ? namespaceStep(NAMESPACES) : step;
}

/** All steps of the process that becomes init. @param tableBytes size of the program's table */
export function initSteps(plan: Plan, fds: LaunchFds, tableBytes: number): Step[] {
  const args = [plan.jobId, tableBytes, plan.timeoutMs, plan.graceMs, plan.logBytes].map(String);
  const own = fds.network === undefined ? plan.init : plan.init.map(withoutNetwork);
  return [...fdSteps(fds), ...own, execInitStep(args)];
}
