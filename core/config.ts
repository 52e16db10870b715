import type { Home } from "./values/home.ts";

/** What the engine needs to know; the server's configuration file maps onto it (api/config.ts). */
export interface EngineConfig {
  readonly home: Home;
  /**
   * Absolute path of the cgroup v2 folder that the engine may manage alone. Absent: the server's own delegated cgroup
   * under systemd, else `joblet/<hash of the home folder>` below the cgroup v2 root.
   */
  readonly cgroupBase?: string;
  /** User and group of a job's program, outside its sandbox. @default {1_000_000_000} */
  readonly jobUid: number;
  readonly jobGid: number;
  /** Size of a job's private /work and /tmp, in bytes. */
  readonly workBytes: number;
  readonly tmpBytes: number;
  /** Time from a stop's first signal to the kill, where the caller gave none. */
  readonly stopGraceMs: number;
  /** A start that takes longer is given up and killed. */
  readonly startTimeoutMs: number;
  /** Limits of jobs that name none; absent: unlimited. */
  readonly defaultCpuPercent?: number;
  readonly defaultMemoryBytes?: number;
  readonly defaultIoBytesPerSecond?: number;
}

/** The defaults for a home folder. */
export function defaultEngineConfig(home: Home): EngineConfig {
  return {
    home,
    jobUid: 1_000_000_000,
    jobGid: 1_000_000_000,
    workBytes: 512 * 1024 * 1024,
    tmpBytes: 256 * 1024 * 1024,
    stopGraceMs: 10_000,
    startTimeoutMs: 30_000,
  };
}
