import type { SignalName } from "../values/signal.ts";

/** How a job is connected: a network of its own with loopback only, or the host's. */
export type NetworkMode = "none" | "host";

/** Limits of a job; an absent field is no limit, but for those that say what it is then. */
export interface Limits {
  /** CPU time in percent of one core, 1 and up; 150 is one and a half cores. */
  readonly cpuPercent?: number;
  /** Share of CPU time among jobs that compete for it: 1 to 10000; the kernel's own default is 100. */
  readonly cpuWeight?: number;
  /** Core numbers, ascending and unique. */
  readonly cpuCores?: readonly number[];
  /** Memory in bytes, swap included: beyond it the job is killed. */
  readonly memoryBytes?: number;
  /** Memory in bytes beyond which the job is slowed and its memory reclaimed. */
  readonly memoryHighBytes?: number;
  /** Processes and threads. */
  readonly pids?: number;
  /** Bytes per second, each for reads and for writes; the finer rates below win. */
  readonly ioBytesPerSecond?: number;
  readonly ioReadBytesPerSecond?: number;
  readonly ioWriteBytesPerSecond?: number;
  readonly ioReadOpsPerSecond?: number;
  readonly ioWriteOpsPerSecond?: number;
  /** Share of disk time among jobs that compete for it: 1 to 10000; the kernel's own default is 100. */
  readonly ioWeight?: number;
  /** Whole disk that the I/O limits are for: "254:0" or a path such as /dev/sda. Absent: the disk of the home folder. */
  readonly ioDevice?: string;
  /** Bytes that fit into /work, /tmp and /dev/shm together. Absent: the server's default. */
  readonly diskBytes?: number;
  /** Files and folders that fit into them. Absent: the server's default. */
  readonly diskInodes?: number;
  /** Open files a process. Absent: 1024, which the program may raise to 4096. */
  readonly openFiles?: number;
}

/** Limits that are one whole number each. */
export type NumericLimit = Exclude<keyof Limits, "cpuCores" | "ioDevice">;

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

/** User id of a program whose spec names none. */
export const DEFAULT_UID = 1000;
/** Profile of a job whose spec names none. */
export const DEFAULT_PROFILE = "default";
export const PROFILE_NAME = /^[a-z][a-z0-9_-]{0,30}$/;

/** A secret as a job keeps it: encrypted, and of use for a job of its owner alone; see core/secrets/vault.ts. */
export type SealedText = string;

/** What to run and how, validated: see `parseSpec` in validate.ts. */
export interface JobSpec {
  readonly command: string;
  readonly args: readonly string[];
  /** A label for people; empty for none. */
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  /** More of the environment, that nobody is told of. Absent: none. */
  readonly secretEnv?: Readonly<Record<string, SealedText>>;
  /** Files in /run/secrets by name. Absent: none. */
  readonly secretFiles?: Readonly<Record<string, SealedText>>;
  /** Absolute path inside the job's root. */
  readonly workdir: string;
  readonly network: NetworkMode;
  /** User id of the program inside its user namespace; 0 is root there only. Absent: 1000, "job". */
  readonly uid?: number;
  /** Name of what the sandbox allows. Absent: "default". */
  readonly profile?: string;
  /** "kept": /work lies on the host's disk, shared by all attempts of the job. Absent: in memory, for one attempt. */
  readonly work?: "kept";
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

/** Limits as they come from outside. */
export type LimitsInput = { readonly [K in NumericLimit]?: number | bigint | undefined } & {
  /** A list of numbers and ranges, "0-1,3"; empty for all. */
  readonly cpuCores?: string | undefined;
  readonly ioDevice?: string | undefined;
};

/** A spec as it comes from outside: anything may be missing or wrong. */
export interface JobSpecInput {
  readonly command?: string;
  readonly args?: readonly string[];
  readonly name?: string;
  /** Variables whose names look secret are taken as `secretEnv`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Plain; no name of `env`. */
  readonly secretEnv?: Readonly<Record<string, string>>;
  /** Plain; at most 64 files, 1 MiB together. */
  readonly secretFiles?: Readonly<Record<string, Uint8Array>>;
  readonly workdir?: string;
  readonly network?: string;
  /** 0 to 65533. */
  readonly uid?: number;
  readonly profile?: string;
  /** "private" or "kept"; empty for private. */
  readonly work?: string;
  readonly limits?: LimitsInput;
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
