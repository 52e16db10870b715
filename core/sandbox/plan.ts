/** A job's start as plain data: the one place that says what a sandbox is. It can be printed, compared and launched. */
import { constants as c, LaunchTable } from "../../ffi/mod.ts";
import { MIN_LOG_BYTES } from "../config.ts";
import { EngineError } from "../errors.ts";
import type { PlainSecrets } from "../jobs/secrets.ts";
import { DEFAULT_PROFILE, DEFAULT_UID, type JobSpec, type NetworkMode } from "../jobs/spec.ts";
import { userName } from "./etc_template.ts";
import { type IdRange, idRange } from "./id_ranges.ts";
import { execInitStep, fdSteps, type LaunchFds, setUpSteps } from "./init_steps.ts";
import { loopbackSteps } from "./network_steps.ts";
import type { ProcEntries } from "./proc_steps.ts";
import type { SandboxProfile } from "./profile.ts";
import { programSteps } from "./program_steps.ts";
import type { Step } from "./step.ts";

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What the host gives to every sandbox. */
export interface HostOptions {
  /** Size of /work, /tmp and /dev/shm together, for jobs that don't say. */
  readonly diskBytes: number;
  readonly diskInodes: number;
  readonly proc: ProcEntries;
  readonly lastCapability: number;
  readonly keyrings: boolean;
  /** Version of the kernel's Landlock; 0: it has none. */
  readonly landlockAbi: number;
  /** Folders of the root that hold programs. */
  readonly programFolders: readonly string[];
  readonly profiles: ReadonlyMap<string, SandboxProfile>;
  readonly shielded: boolean;
  readonly graceMs: number;
  /** Most bytes that a run's journal keeps: 0 for no limit, or at least MIN_LOG_BYTES. */
  readonly logBytes: number;
}

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
  readonly range: IdRange;
}

/** Environment of a job's program: nothing of the server's. A name given with the job wins. */
export function jobEnvironment(
  spec: JobSpec,
  jobId: string,
  secrets: PlainSecrets["env"] = {},
): Record<string, string> {
  return {
    PATH: DEFAULT_PATH,
    HOME: "/work",
    USER: userName(spec.uid ?? DEFAULT_UID),
    LOGNAME: userName(spec.uid ?? DEFAULT_UID),
    LANG: "C.UTF-8",
    JOBLET_JOB_ID: jobId,
    ...spec.env,
    ...secrets,
  };
}

/** Of the kinds that clone3 could make too: in the child they cost the server's thread nothing. */
const NAMESPACES = c.CLONE_NEWNS | c.CLONE_NEWIPC | c.CLONE_NEWUTS;
const NETWORK_NAMESPACE: Readonly<Record<NetworkMode, bigint>> = { none: c.CLONE_NEWNET, host: 0n };

function namespaceStep(flags: bigint): Step {
  return { name: "make namespaces", call: "unshare", args: [flags] };
}

/** The profile that a spec names. @throws {EngineError} kind "precondition" if the server has none of that name */
export function profileOf(spec: Pick<JobSpec, "profile">, host: Pick<HostOptions, "profiles">): SandboxProfile {
  const name = spec.profile ?? DEFAULT_PROFILE;
  const profile = host.profiles.get(name);
  if (profile) return profile;
  const known = [...host.profiles.keys()].join(", ");
  throw new EngineError("precondition", `Cannot use profile '${name}': this server has ${known}`);
}

const NOFILE = [1024, 4096] as const;
/** What a plan that is only looked at shows. */
const ANY_RANGE = idRange(0);
const NO_SECRETS: PlainSecrets = { env: {}, files: {} };

export interface PlanOptions {
  /** Ids that the job gets. @default the first there is */
  readonly range?: IdRange;
  /** Those of the job, opened. Those of the spec are sealed and not looked at. @default none */
  readonly secrets?: PlainSecrets;
}

/**
 * @throws {RangeError} if the host's `logBytes` is no number of bytes that init can keep to
 * @throws {EngineError} kind "precondition" if the spec's profile does not exist
 */
export function makePlan(spec: JobSpec, jobId: string, host: HostOptions, options: PlanOptions = {}): Plan {
  const { range = ANY_RANGE, secrets = NO_SECRETS } = options;
  if (host.logBytes !== 0 && !(Number.isSafeInteger(host.logBytes) && host.logBytes >= MIN_LOG_BYTES)) {
    throw new RangeError(`Cannot keep ${host.logBytes} bytes of output: it must be 0 or at least ${MIN_LOG_BYTES}`);
  }
  const { strict, filter } = profileOf(spec, host);
  const uid = spec.uid ?? DEFAULT_UID;
  const hostUid = range.first + uid;
  const { diskBytes = host.diskBytes, diskInodes = host.diskInodes, openFiles } = spec.limits;
  return {
    namespaces: c.CLONE_NEWPID,
    init: [
      namespaceStep(NAMESPACES | NETWORK_NAMESPACE[spec.network]),
      ...setUpSteps({
        hostname: `job-${jobId.slice(0, 8)}`,
        scratch: {
          bytes: diskBytes,
          inodes: diskInodes,
          uid: hostUid,
          rootId: range.first,
          noExec: strict,
          kept: spec.work === "kept",
        },
        secrets: { files: secrets.files, uid: hostUid },
        proc: host.proc,
        pidsOnly: strict,
      }),
    ],
    privateNetwork: spec.network === "none",
    program: programSteps({
      ...host,
      command: spec.command,
      args: spec.args,
      env: jobEnvironment(spec, jobId, secrets.env),
      workdir: spec.workdir,
      uid,
      hostUid,
      openFiles: openFiles === undefined ? NOFILE : [openFiles, openFiles],
      landlock: { abi: host.landlockAbi, strict, programFolders: host.programFolders },
      filter,
    }),
    jobId,
    timeoutMs: spec.timeoutMs ?? 0,
    graceMs: host.graceMs,
    logBytes: host.logBytes,
    range,
  };
}

/** The program's table, for init to map. */
export function compileProgram(plan: Plan): LaunchTable {
  return new LaunchTable(plan.program);
}

/**
 * The init steps with those for the network, if the process makes its own and has not entered a prepared one.
 * @param before how many steps come before these
 */
export function ownSteps(plan: Plan, before: number, prepared: boolean): Step[] {
  return plan.init.flatMap((step, index) => {
    const flags = step.call === "unshare" ? BigInt(step.args[0] as bigint) : 0n;
    if ((flags & c.CLONE_NEWNET) === 0n) return [step];
    return prepared ? [namespaceStep(flags & ~c.CLONE_NEWNET)] : [step, ...loopbackSteps(before + index + 1)];
  });
}

/** All steps of the process that becomes init. @param tableBytes size of the program's table */
export function initSteps(plan: Plan, fds: LaunchFds, tableBytes: number): Step[] {
  const { jobId, timeoutMs, graceMs, logBytes, range } = plan;
  const args = [jobId, tableBytes, timeoutMs, graceMs, logBytes, range.initId].map(String);
  const first = fdSteps(fds);
  return [...first, ...ownSteps(plan, first.length, fds.network !== undefined), execInitStep(args)];
}
