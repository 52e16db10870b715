import type { SignalName } from "../values/signal.ts";

/** How a job is connected: a network of its own with loopback only, or the host's. */
export type NetworkMode = "none" | "host";

/** Limits of a job; an absent field is no limit. */
export interface Limits {
  /** CPU time in percent of one core, 1 and up; 150 is one and a half cores. */
  readonly cpuPercent?: number;
  /** Memory in bytes, swap included. */
  readonly memoryBytes?: number;
  /** Bytes per second, each for reads and for writes. */
  readonly ioBytesPerSecond?: number;
  /** Core numbers, ascending and unique. */
  readonly cpuCores?: readonly number[];
}

/** What to run and how, validated: see `parseSpec` in validate.ts. */
export interface JobSpec {
  readonly command: string;
  readonly args: readonly string[];
  /** A label for people; empty for none. */
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  /** Absolute path inside the job's root. */
  readonly workdir: string;
  readonly network: NetworkMode;
  readonly limits: Limits;
  /** The job is ended after this time; absent for never. */
  readonly timeoutMs?: number;
}

/** A spec as it comes from outside: anything may be missing or wrong. */
export interface JobSpecInput {
  readonly command?: string;
  readonly args?: readonly string[];
  readonly name?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly workdir?: string;
  readonly network?: string;
  readonly limits?: {
    readonly cpuPercent?: number | undefined;
    readonly memoryBytes?: bigint | undefined;
    readonly ioBytesPerSecond?: bigint | undefined;
    /** A list of numbers and ranges, "0-1,3"; empty for all. */
    readonly cpuCores?: string | undefined;
  };
  readonly timeoutMs?: number | undefined;
}

/** How a stop is done. */
export interface StopOptions {
  /** First signal. @default {"SIGTERM"} */
  readonly signal?: SignalName;
  /** Time from the first signal to the kill of the whole tree. @default {10_000} */
  readonly graceMs?: number;
}
