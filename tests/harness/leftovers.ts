import { findCgroup2, parseMountinfo } from "../../core/cgroup/mountinfo.ts";

/** Everything that a server's jobs could leave behind on the host; compare two of them. */
export interface HostState {
  /** Cgroups of jobs of this server. */
  readonly cgroups: readonly string[];
  /** Processes in this server's cgroups, inits included: as long as there is none, no namespace of a job is held open. */
  readonly processes: readonly string[];
  /** Mounts in the host's mount namespace, those that hold namespaces open included. */
  readonly mounts: readonly string[];
  readonly temporary: readonly string[];
}

/** @param home the server's home folder */
export async function hostState(home: string): Promise<HostState> {
  const mountinfo = await Deno.readTextFile("/proc/self/mountinfo");
  const root = findCgroup2(parseMountinfo(mountinfo))?.mountPoint ?? "/sys/fs/cgroup";
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(home)));
  const cgroups = await foldersBelow(`${root}/joblet/${hash.slice(0, 4).toHex()}`);
  const processes: string[] = [];
  for (const cgroup of cgroups) {
    const all = (await procsOf(cgroup)).split("\n").filter((pid) => pid !== "");
    const pids = cgroup.endsWith("/inits") ? all.filter(isInit) : all;
    processes.push(...pids.map((pid) => `${pid} in ${cgroup}`));
  }
  return {
    cgroups: cgroups.filter((path) => path.includes("/job-")),
    processes,
    mounts: mountinfo.split("\n"),
    temporary: [...Deno.readDirSync("/tmp")].map(({ name }) => name).filter((name) => name.startsWith("job-")),
  };
}

/**
 * Whether it is a job's init, or about to be gone: the server's own short-lived processes, which make namespaces for jobs to
 * come, are born beside the inits, with the server's command line.
 */
function isInit(pid: string): boolean {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`).startsWith("init\0");
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** Command lines of processes on the host that contain the text. */
export function processesWith(text: string): string[] {
  const found: string[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const command = Deno.readTextFileSync(`/proc/${name}/cmdline`).replaceAll("\0", " ");
      if (command.includes(text)) found.push(`${name} ${command}`);
    } catch (error) {
      // It has ended meanwhile: ESRCH or ENOENT.
      if (!(error instanceof Error && "code" in error)) throw error;
    }
  }
  return found;
}

/** Empty for a cgroup that was removed meanwhile, as a user's is a moment after the last job's. */
async function procsOf(cgroup: string): Promise<string> {
  try {
    return await Deno.readTextFile(`${cgroup}/cgroup.procs`);
  } catch (error) {
    if (isGone(error)) return "";
    throw error;
  }
}

async function foldersBelow(path: string): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const entry of Deno.readDir(path)) {
      if (entry.isDirectory) found.push(`${path}/${entry.name}`, ...await foldersBelow(`${path}/${entry.name}`));
    }
  } catch (error) {
    if (!isGone(error)) throw error;
  }
  return found;
}

/** ENODEV: the folder was removed between open and read. */
function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    (error instanceof Error && "code" in error && (error.code === "ENODEV" || error.code === "ESRCH"));
}
