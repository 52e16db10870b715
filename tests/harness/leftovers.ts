import { findCgroup2, parseMountinfo } from "../../core/cgroup/mountinfo.ts";

/** Everything on the host that a job could leave behind; compare two of them. */
export interface HostState {
  readonly cgroups: readonly string[];
  readonly mounts: number;
  readonly namespaces: readonly string[];
  readonly processes: readonly string[];
  readonly temporary: readonly string[];
}

/** @param home the server's home folder @param marker text in the command line of every process that jobs start */
export async function hostState(marker: string): Promise<HostState> {
  const mountinfo = await Deno.readTextFile("/proc/self/mountinfo");
  const root = findCgroup2(parseMountinfo(mountinfo))?.mountPoint ?? "/sys/fs/cgroup";
  const cgroups = (await walk(`${root}/joblet`)).filter((path) => path.includes("/job-"));
  const namespaces = new Set<string>();
  const processes: string[] = [];
  for (const entry of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(entry.name)) continue;
    try {
      const command = Deno.readTextFileSync(`/proc/${entry.name}/cmdline`).replaceAll("\0", " ");
      if (command.startsWith("init ") || command.includes(marker)) processes.push(`${entry.name} ${command}`);
      for (const kind of ["mnt", "net", "pid", "uts", "ipc"]) {
        namespaces.add(Deno.readLinkSync(`/proc/${entry.name}/ns/${kind}`));
      }
    } catch (error) {
      // The process has ended meanwhile.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  const temporary = [...Deno.readDirSync("/tmp")].map(({ name }) => name).filter((name) => name.startsWith("job-"));
  return { cgroups, mounts: mountinfo.split("\n").length, namespaces: [...namespaces].sort(), processes, temporary };
}

async function walk(path: string): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const entry of Deno.readDir(path)) {
      if (!entry.isDirectory) continue;
      found.push(`${path}/${entry.name}`, ...await walk(`${path}/${entry.name}`));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found;
}
