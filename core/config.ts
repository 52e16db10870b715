import type { LimitPolicies } from "./jobs/limit_policy.ts";
import type { QueueLimits } from "./jobs/queue.ts";
import type { RetentionLimits } from "./jobs/retention.ts";
import type { ProfileOptions } from "./sandbox/profile.ts";
import type { SharedLimitsConfig } from "./run/shared_limits.ts";
import type { Home } from "./values/home.ts";

/** Least that `logBytesPerRun` may be, if it is not 0: init removes an eighth of it at a time, which must be some frames. */
export const MIN_LOG_BYTES = 1024 * 1024;

/** What the engine needs to know; the server's configuration file maps onto it (api/config/config.ts). */
export interface EngineConfig {
  readonly home: Home;
  /**
   * Absolute path of the cgroup v2 folder that the engine may manage alone. Absent: the server's own delegated cgroup
   * under systemd, else `joblet/<hash of the home folder>` below the cgroup v2 root.
   */
  readonly cgroupBase?: string;
  /** Where the servers of this host keep which ids are whose; gone with the next boot. */
  readonly idsFolder: string;
  /** What fits into /work, /tmp and /dev/shm of a job together, if the job does not say: bytes, and files and folders. */
  readonly diskBytes: number;
  readonly diskInodes: number;
  /** Kinds of sandboxes by name, besides "default", "strict" and "debug". */
  readonly profiles: Readonly<Record<string, ProfileOptions>>;
  /** Time from a stop's first signal to the kill, where the caller gave none. */
  readonly stopGraceMs: number;
  /** A start that takes longer is given up and killed. */
  readonly startTimeoutMs: number;
  /** Limits of jobs that name none, and the most that they may ask for. */
  readonly limits: LimitPolicies;
  /** Limits of running jobs together: of all, and of each user's. */
  readonly sharedLimits: SharedLimitsConfig;
  /** Percentage of its memory limit at which a job is killed; above 100 it is slowed down from its limit on. */
  readonly memoryMaxPercent: number;
  /** Which jobs run at once and how many may wait. */
  readonly queue: QueueLimits;
  /** How long what is stored of ended jobs is kept. */
  readonly retention: RetentionLimits;
  /** Where jobs are kept: in SQLite, or in memory, which the next server knows nothing of. @default {"sqlite"} */
  readonly stateBackend: "sqlite" | "memory";
  /** New jobs are refused while the disks of state and logs have less room, in bytes. */
  readonly reservedBytes: number;
  /**
   * Most bytes of output that are kept of one run, with what their storing adds: beyond it the oldest are removed. 0: all;
   * else at least MIN_LOG_BYTES.
   */
  readonly logBytesPerRun: number;
  /** A run's output of more bytes than this is compressed when the run has ended. */
  readonly compressMinBytes: number;
}

const DAY_MS = 24 * 3_600_000;
const GIB = 1024 ** 3;

/** The defaults for a home folder. */
export function defaultEngineConfig(home: Home): EngineConfig {
  return {
    home,
    idsFolder: "/run/joblet/ids",
    diskBytes: GIB,
    diskInodes: 100_000,
    profiles: {},
    stopGraceMs: 10_000,
    startTimeoutMs: 30_000,
    limits: { default: {}, ceiling: {}, builtIn: { pids: 4096 }, users: new Map() },
    sharedLimits: { all: {}, user: {}, users: new Map() },
    memoryMaxPercent: 100,
    queue: { maxRunning: 5000, maxWaiting: 100_000, maxWaitingPerOwner: 50_000 },
    retention: { maxJobs: 100_000, maxAgeMs: 30 * DAY_MS, maxLogBytes: 20 * GIB, maxLogAgeMs: 7 * DAY_MS },
    stateBackend: "sqlite",
    reservedBytes: 32 * 1024 * 1024,
    logBytesPerRun: 2 * GIB,
    compressMinBytes: 64 * 1024,
  };
}
