import type { Poller } from "../../ffi/mod.ts";
import type { CgroupTree } from "../cgroup/tree.ts";
import type { SecretBox } from "../jobs/secrets.ts";
import type { LogStore } from "../logs/log_store.ts";
import type { LimitWrite } from "../cgroup/limits.ts";
import type { SharedLimits } from "./shared_limits.ts";
import type { Plan } from "../sandbox/plan.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";

/** Changes that a test makes to sandboxes; absent: none. */
export interface Alterations {
  readonly plan?: (plan: Plan) => Plan;
  readonly limits?: (writes: readonly LimitWrite[]) => readonly LimitWrite[];
}

/** What runs are made of; put together once, in core/engine.ts. */
export interface RunParts extends Omit<Sandbox, symbol> {
  readonly poller: Poller;
  readonly tree: CgroupTree;
  readonly shared: SharedLimits;
  /** See EngineConfig. */
  readonly memoryMaxPercent: number;
  readonly logs: LogStore;
  readonly secrets: SecretBox;
  /** A folder on the disk whose speed I/O limits limit. */
  readonly diskFolder: string;
  /** A start that takes longer is given up and killed. */
  readonly startTimeoutMs: number;
  /** Called while a job sets itself up, when this thread has nothing else to do. */
  readonly onSpareTime: () => void;
  /** Failures in the background that no caller can be told of. */
  readonly onError: (what: string, error: unknown) => void;
  readonly alter: Alterations;
}
