import type { Poller } from "../../ffi/mod.ts";
import type { CgroupTree } from "../cgroup/tree.ts";
import type { LogStore } from "../logs/log_store.ts";
import type { Launcher } from "../sandbox/launcher.ts";
import type { HostOptions } from "../sandbox/plan.ts";

/** What runs are made of; put together once, in core/engine.ts. */
export interface RunParts {
  readonly host: HostOptions;
  readonly poller: Poller;
  readonly tree: CgroupTree;
  readonly launcher: Launcher;
  readonly logs: LogStore;
  /** A folder on the disk whose speed I/O limits limit. */
  readonly diskFolder: string;
  /** A start that takes longer is given up and killed. */
  readonly startTimeoutMs: number;
  /** Called while a job sets itself up, when this thread has nothing else to do. */
  readonly onSpareTime: () => void;
  /** Failures in the background that no caller can be told of. */
  readonly onError: (what: string, error: unknown) => void;
}
