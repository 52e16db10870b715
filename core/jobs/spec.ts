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

/** Ends of an attempt that may be followed by another one. */
export type RetryCause = "exit" | "signal" | "out_of_memory" | "lost" | "timeout";

export interface RetryPolicy {
  /** Attempts after the first one. */
  readonly limit: number;
  /** Time from an attempt's end to the next one. */
  readonly delayMs: number;
  readonly on: readonly RetryCause[];
}

/** Runs of a recurring job that were missed while no server ran: one makes up for all, or they are left out. */
export type MisfirePolicy = "run_once" | "skip";

/** A run that is due while an earlier one has not ended: runs beside it, is left out, or the earlier one is stopped. */
export type OverlapPolicy = "allow" | "skip" | "replace";

/** When a job runs. */
export type Schedule =
  | {
    readonly kind: "once";
    /** As it was asked for. */
    readonly when: string;
    readonly timeZone: string;
  }
  | {
    readonly kind: "cron";
    readonly when: string;
    readonly timeZone: string;
    readonly misfire: MisfirePolicy;
    readonly overlap: OverlapPolicy;
  };

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
  /** An attempt is ended after this time; absent for never. */
  readonly timeoutMs?: number;
  readonly labels: Readonly<Record<string, string>>;
  /** -100 to 100; of jobs that wait, those of higher priority go first. */
  readonly priority: number;
  /** Absent: not tried again. */
  readonly retry?: RetryPolicy;
  /** Absent: at once. */
  readonly schedule?: Schedule;
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
  readonly labels?: Readonly<Record<string, string>>;
  readonly priority?: number;
  readonly retry?: {
    readonly limit: number;
    /** @default {1000} */
    readonly delayMs?: number;
    /** Empty: exit, signal, out of memory, lost. */
    readonly on?: readonly RetryCause[];
  };
  readonly schedule?: {
    readonly when: string;
    /** @default {"UTC"} */
    readonly timeZone?: string;
    /** @default {"run_once"} */
    readonly misfire?: MisfirePolicy;
    /** @default {"allow"} */
    readonly overlap?: OverlapPolicy;
  };
}

/** How a stop is done. */
export interface StopOptions {
  /** First signal. @default {"SIGTERM"} */
  readonly signal?: SignalName;
  /** Time from the first signal to the kill of the whole tree. @default {10_000} */
  readonly graceMs?: number;
}
