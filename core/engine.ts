/** Puts the engine together: the one place in core/ where its pieces are made. */
import { ModificationWatcher, Poller } from "../ffi/mod.ts";
import { CgroupTree, findBase } from "./cgroup/tree.ts";
import type { EngineConfig } from "./config.ts";
import { EngineError } from "./errors.ts";
import type { Engine } from "./jobs/engine.ts";
import { JobEvents } from "./jobs/job_events.ts";
import { JobManager } from "./jobs/manager.ts";
import { SpareJournals } from "./logs/spare_journals.ts";
import { prepareEtc } from "./sandbox/etc_template.ts";
import { Launcher } from "./sandbox/launcher.ts";
import type { HostOptions } from "./sandbox/plan.ts";
import { hostRootEntries } from "./sandbox/rootfs.ts";
import { openSqliteStore } from "./state/sqlite_store.ts";
import type { JobStore } from "./state/store.ts";

/**
 * Opens the engine of a home folder and takes over the jobs that an earlier one left.
 * @param onError told of failures that belong to no call
 * @param openStore where jobs are kept @default SQLite in the home's state folder
 * @throws {EngineError}
 */
export async function openEngine(
  config: EngineConfig,
  onError: (what: string, error: unknown) => void,
  openStore: () => JobStore = () => openSqliteStore(`${config.home.state}/joblet.db`),
): Promise<Engine> {
  if (Deno.uid() !== 0) throw new EngineError("precondition", "Cannot run jobs: the server must run as root");
  const host = prepareHost(config);
  const stack = new AsyncDisposableStack();
  try {
    const store = openStore();
    stack.defer(() => store.close());
    const poller = stack.use(new Poller((error) => onError("handle an event", error)));
    const files = stack.use(new ModificationWatcher(poller));
    const tree = stack.use(new CgroupTree(await cgroupBase(config), poller));
    const launcher = stack.use(
      new Launcher(poller, tree.initsFd, (error) => onError("prepare a network namespace", error)),
    );
    const spares = new SpareJournals(`${config.home.run}/journals`);
    const events = new JobEvents();
    const parts = { config, host, store, poller, files, tree, launcher, spares, events, onError };
    return await JobManager.open(parts, () => stack.disposeAsync());
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

function prepareHost(config: EngineConfig): HostOptions {
  const { home, jobUid: uid, jobGid: gid } = config;
  for (const folder of [home.state, home.logs, home.run]) Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const mountPoint = `${home.run}/root`;
  const etc = `${home.run}/etc`;
  Deno.mkdirSync(mountPoint, { recursive: true });
  prepareEtc(etc, { uid, gid });
  return {
    mountPoint,
    etc,
    entries: hostRootEntries(),
    uid,
    gid,
    workBytes: config.workBytes,
    tmpBytes: config.tmpBytes,
    lastCapability: Number(Deno.readTextFileSync("/proc/sys/kernel/cap_last_cap")),
    shielded: Number(Deno.readTextFileSync("/proc/self/oom_score_adj")) < 0,
    graceMs: config.stopGraceMs,
  };
}

async function cgroupBase(config: EngineConfig) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(config.home.root)));
  const mountinfo = Deno.readTextFileSync("/proc/self/mountinfo");
  const ownCgroup = Deno.readTextFileSync("/proc/self/cgroup");
  return findBase(mountinfo, ownCgroup, hash.slice(0, 4).toHex(), config.cgroupBase);
}
