import type { ModificationWatcher, Poller } from "../../ffi/mod.ts";
import type { CgroupTree } from "../cgroup/tree.ts";
import type { EngineConfig } from "../config.ts";
import type { SpareJournals } from "../logs/spare_journals.ts";
import type { Launcher } from "../sandbox/launcher.ts";
import type { HostOptions } from "../sandbox/plan.ts";
import type { JobStore } from "../state/store.ts";
import type { JobEvents } from "./job_events.ts";

/** What the engine's pieces share; made once, in core/engine.ts. */
export interface EngineParts {
  readonly config: EngineConfig;
  readonly host: HostOptions;
  readonly store: JobStore;
  readonly poller: Poller;
  readonly files: ModificationWatcher;
  readonly tree: CgroupTree;
  readonly launcher: Launcher;
  readonly spares: SpareJournals;
  readonly events: JobEvents;
  /** Failures in the background that no caller can be told of. */
  readonly onError: (what: string, error: unknown) => void;
}
