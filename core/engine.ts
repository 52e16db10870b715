/** Puts the engine together: the one place in core/ where its pieces are made. */
import { closeFd, constants, ModificationWatcher, openFd, Poller, syncFileSystem } from "../ffi/mod.ts";
import { findBase } from "./cgroup/base.ts";
import { CgroupTree } from "./cgroup/tree.ts";
import type { EngineConfig } from "./config.ts";
import { checkDiskSpace } from "./disk_space.ts";
import { EngineError } from "./errors.ts";
import type { Engine } from "./jobs/engine.ts";
import { JobManager } from "./jobs/manager.ts";
import { openJournalStore } from "./logs/journal_store.ts";
import type { LogStore } from "./logs/log_store.ts";
import { SpareJournals } from "./logs/spare_journals.ts";
import type { Alterations } from "./run/parts.ts";
import { SandboxRunner } from "./run/sandbox_runner.ts";
import { SharedLimits } from "./run/shared_limits.ts";
import { SecretVault } from "./secrets/vault.ts";
import { openSandbox } from "./sandbox/sandbox.ts";
import { HostClock } from "./schedule/host_clock.ts";
import { MemoryStore } from "./state/memory_store.ts";
import { openSqliteStore } from "./state/sqlite_store.ts";
import type { JobStore } from "./state/store.ts";

/** The engine's stores, for those who put others in their place. */
export interface EngineStores {
  /** Where jobs are kept. @default as the configuration says */
  readonly openJobs?: () => JobStore;
  /** Stands between the engine and its output. @default nothing */
  readonly wrapLogs?: (logs: LogStore) => LogStore;
  /** Changes sandboxes and limits before they are used: how a test switches one defence off. @default nothing */
  readonly alter?: Alterations;
}

/**
 * Opens the engine of a home folder and takes over the jobs that an earlier one left.
 * @param onError told of failures that belong to no call
 * @throws {EngineError}
 */
export async function openEngine(
  config: EngineConfig,
  onError: (what: string, error: unknown) => void,
  stores: EngineStores = {},
): Promise<Engine> {
  if (Deno.uid() !== 0) throw new EngineError("precondition", "Cannot run jobs: the server must run as root");
  const { home } = config;
  for (const folder of [home.state, home.logs, home.run]) Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stack = new AsyncDisposableStack();
  try {
    const store = (stores.openJobs ?? (() => openJobStore(config)))();
    stack.defer(() => store.close());
    const poller = stack.use(new Poller((error) => onError("handle an event", error)));
    const watcher = stack.use(new ModificationWatcher(poller));
    const clock = stack.use(new HostClock(poller));
    const shared = new SharedLimits(config.sharedLimits, home.root);
    const sharedLimits = (tree: CgroupTree, folder?: string) => shared.writes(tree, folder);
    const tree = stack.use(new CgroupTree(await cgroupBase(config), poller, { sharedLimits, onError }));
    const sandbox = stack.use(await openSandbox(config, poller, tree, onError));
    const spares = new SpareJournals(`${home.run}/journals`);
    const { compressMinBytes, startTimeoutMs, memoryMaxPercent } = config;
    const logsFd = openFd(home.logs, constants.O_RDONLY | constants.O_DIRECTORY);
    stack.defer(() => closeFd(logsFd));
    const flush = () => syncFileSystem(logsFd);
    const journals = openJournalStore({ folder: home.logs, spares, watcher, compressMinBytes, flush });
    const logs = stores.wrapLogs?.(journals) ?? journals;
    const onSpareTime = () => spares.refill();
    const diskFolder = home.root;
    const secrets = new SecretVault(`${home.config}/secrets.key`);
    const { alter = {} } = stores;
    const own = { poller, tree, shared, logs, secrets, diskFolder, memoryMaxPercent };
    const run = { ...sandbox, ...own, startTimeoutMs, onSpareTime, onError, alter };
    const parts = {
      config,
      store,
      logs,
      runner: new SandboxRunner(run, store),
      clock,
      secrets,
      bootId: Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim(),
      checkSpace: () => checkDiskSpace([home.state, home.logs], config.reservedBytes),
      onError,
    };
    return await JobManager.open(parts, () => stack.disposeAsync());
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

function openJobStore({ stateBackend, home }: EngineConfig): JobStore {
  return stateBackend === "memory" ? new MemoryStore() : openSqliteStore(`${home.state}/joblet.db`);
}

async function cgroupBase(config: EngineConfig) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(config.home.root)));
  const mountinfo = Deno.readTextFileSync("/proc/self/mountinfo");
  const ownCgroup = Deno.readTextFileSync("/proc/self/cgroup");
  return findBase(mountinfo, ownCgroup, hash.slice(0, 4).toHex(), config.cgroupBase);
}
