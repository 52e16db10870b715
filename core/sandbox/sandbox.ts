/** All that sandboxes are made of, put together once for a server. */
import { statfsSync } from "node:fs";
import { landlockAbi, type Poller } from "../../ffi/mod.ts";
import type { CgroupTree } from "../cgroup/tree.ts";
import type { EngineConfig } from "../config.ts";
import { EngineError } from "../errors.ts";
import { freshEtc } from "./etc_template.ts";
import { IdRanges } from "./id_ranges.ts";
import { Launcher } from "./launcher.ts";
import type { HostOptions } from "./plan.ts";
import { procEntries } from "./proc_steps.ts";
import { sandboxProfiles } from "./profile.ts";
import type { RootOptions } from "./root_steps.ts";
import { RootTemplate } from "./root_template.ts";
import { hostRootEntries } from "./rootfs.ts";
import { UserNamespaces } from "./user_namespaces.ts";
import { WorkFolders } from "./work_folders.ts";

export interface Sandbox extends AsyncDisposable {
  readonly host: HostOptions;
  readonly rootOptions: RootOptions;
  readonly launcher: Launcher;
  readonly ranges: IdRanges;
  readonly users: UserNamespaces;
  readonly work: WorkFolders;
}

/** @throws {EngineError} kind "precondition" that names what this host can't do */
export async function openSandbox(
  config: EngineConfig,
  poller: Poller,
  tree: CgroupTree,
  onError: (what: string, error: unknown) => void,
): Promise<Sandbox> {
  const stack = new AsyncDisposableStack();
  try {
    requireProc();
    const rootOptions = prepareRoot(config, tree);
    const host = hostOptions(config, rootOptions);
    const ranges = stack.use(new IdRanges(config.idsFolder, tree.path));
    const users = stack.use(new UserNamespaces(poller, tree.initsFd, ranges));
    const work = stack.use(new WorkFolders(config.home.work));
    const root = stack.use(await RootTemplate.make(poller, tree.initsFd, rootOptions));
    const onPoolError = (error: unknown) => onError("prepare a network namespace", error);
    const launcher = stack.use(new Launcher(poller, tree.initsFd, root.fd, onPoolError));
    const close = () => stack.disposeAsync();
    return { host, rootOptions, launcher, ranges, users, work, [Symbol.asyncDispose]: close };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

const PROC_SUPER_MAGIC = 0x9fa0; // linux/magic.h

/** Maps of ids are written through /proc: what is written there must reach the kernel (CVE-2019-19921, CVE-2025-52881). */
function requireProc(): void {
  if (statfsSync("/proc").type === PROC_SUPER_MAGIC) return;
  throw new EngineError(
    "precondition",
    "Cannot start jobs: /proc is not procfs; mount it with 'mount -t proc proc /proc'",
  );
}

function prepareRoot({ home }: EngineConfig, tree: CgroupTree): RootOptions {
  const mountPoint = `${home.run}/root`;
  Deno.mkdirSync(mountPoint, { recursive: true });
  return { mountPoint, entries: hostRootEntries(), etc: freshEtc(`${home.run}/etcs`, tree.initPids().length > 0) };
}

function hostOptions(config: EngineConfig, root: RootOptions): HostOptions {
  const proc = procEntries();
  return {
    diskBytes: config.diskBytes,
    diskInodes: config.diskInodes,
    proc,
    lastCapability: Number(Deno.readTextFileSync("/proc/sys/kernel/cap_last_cap")),
    keyrings: proc.maskedFiles.includes("keys"),
    landlockAbi: landlockAbi(),
    programFolders: root.entries.flatMap((entry) => entry.kind === "bind" ? [`/${entry.name}`] : []),
    profiles: profilesOf(config),
    shielded: Number(Deno.readTextFileSync("/proc/self/oom_score_adj")) < 0,
    graceMs: config.stopGraceMs,
    logBytes: config.logBytesPerRun,
  };
}

function profilesOf({ profiles }: EngineConfig) {
  try {
    return sandboxProfiles(profiles);
  } catch (cause) {
    if (cause instanceof RangeError) throw new EngineError("invalid", cause.message, { cause });
    throw cause;
  }
}
