/** What a probe is: a job that tries something it must not be able to do, what has to come of it, and its twin. */
import type { Alterations } from "../../core/run/parts.ts";
import type { Limits } from "../../core/jobs/spec.ts";
import type { Job } from "../../core/jobs/job.ts";
import type { Lab, LiveJob } from "./lab.ts";

/** A job of a probe; what it leaves out is the probes' default. */
export interface ProbeJob {
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly workdir?: string;
  readonly network?: "none" | "host";
  readonly limits?: Omit<Limits, "cpuCores"> & { readonly cpuCores?: string };
  readonly timeoutMs?: number;
  readonly work?: "kept";
  readonly owner?: string;
}

export interface ProbeResult {
  readonly out: string;
  readonly err: string;
  /** All of stdout. */
  readonly bytes: Uint8Array;
  /** Ended. */
  readonly job: Job;
  /** From the call of `run` to the end. */
  readonly ms: number;
  /** What was seen while it ran. */
  readonly facts: Readonly<Record<string, number | string>>;
}

/**
 * The same probe with the defence switched off that it is about: it must fail then, or it proves nothing. Where several
 * defences refuse the same, all of them are off.
 */
export type Twin =
  | {
    /** What is off, for people. */
    readonly off: string;
    readonly alter?: Alterations;
    readonly job?: Partial<ProbeJob>;
  }
  /** Why there is nothing to switch off. */
  | { readonly none: string };

interface ProbeBase {
  /** Row of the table of probes. */
  readonly number: number;
  /** Tells probes of one row apart. */
  readonly part?: string;
  readonly title: string;
  /** Can't do harm even if it succeeds, needs no limits and is quick: the gate runs it on the host. */
  readonly safeOnHost?: boolean;
  /** Version of Landlock that the defence needs; the guest's kernel has 2, so one that needs more runs on hosts alone. */
  readonly landlockAbi?: number;
}

/** One job and what has to come of it. */
export interface JobProbe extends ProbeBase {
  readonly job: ProbeJob | ((lab: Lab) => ProbeJob | Promise<ProbeJob>);
  /** Files of the host that must not change; what a twin changes in them is undone. */
  readonly keeps?: readonly string[];
  /** Called when the program runs; what it returns are the result's facts. */
  readonly act?: (live: LiveJob) => Promise<Readonly<Record<string, number | string>>>;
  /** @throws {AssertionError} if the attack came through */
  readonly expect: (result: ProbeResult, lab: Lab) => void;
  readonly twin: Twin;
}

/** Anything else. */
export interface ScriptProbe extends ProbeBase {
  /** @param off the twin's turn: the defence is off, and it must throw an AssertionError. */
  readonly script: (lab: Lab, off: boolean) => Promise<void>;
  readonly twin: Twin;
}

export type Probe = JobProbe | ScriptProbe;

/** @param args its $0, $1 and so on */
export const sh = (script: string, ...args: string[]): ProbeJob["command"] => ["sh", "-c", script, ...args];
export const python = (script: string): ProbeJob["command"] => ["python3", "-c", script];

/** A Python program that makes system calls by number and prints `name ERRNO`, or `name OK`, for each. */
export function systemCalls(calls: readonly (readonly [string, number, ...(number | string)[]])[]) {
  return python(`
import ctypes, errno, sys
libc = ctypes.CDLL(None, use_errno=True)
for name, number, *args in ${JSON.stringify(calls)}:
    args = [a.encode() if isinstance(a, str) else ctypes.c_long(a) for a in args]
    result = libc.syscall(ctypes.c_long(number), *args)
    print(name, errno.errorcode[ctypes.get_errno()] if result == -1 else "OK")
    sys.stdout.flush()
`);
}
