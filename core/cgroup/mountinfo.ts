/** A line of /proc/self/mountinfo, see proc_pid_mountinfo(5). */
export interface Mount {
  /** Folder of the file system that is mounted; "/" is its root. */
  readonly root: string;
  readonly mountPoint: string;
  readonly fsType: string;
}

/** Reads a mountinfo file; escaped characters ("\040") are decoded. Lines that are cut off are left out. */
export function parseMountinfo(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split("\n")) {
    const [before, after] = line.split(" - ");
    const fields = before!.split(" ");
    const fsType = after?.split(" ")[0];
    if (fields.length < 6 || !fsType) continue;
    mounts.push({ root: decode(fields[3]!), mountPoint: decode(fields[4]!), fsType });
  }
  return mounts;
}

function decode(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

/** The cgroup v2 mount that shows the most of the hierarchy: the one mounted from its root, else the first. */
export function findCgroup2(mounts: readonly Mount[]): Mount | undefined {
  const all = mounts.filter((mount) => mount.fsType === "cgroup2");
  return all.find((mount) => mount.root === "/") ?? all[0];
}

/** The v2 path in /proc/self/cgroup: "/" at the root. undefined if the kernel has no cgroup v2. */
export function parseOwnCgroup(text: string): string | undefined {
  return text.split("\n").find((line) => line.startsWith("0::"))?.slice(3);
}
