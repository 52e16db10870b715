/**
 * Other programs that run `true` in a sandbox with the same namespaces: pid, mount, ipc, uts, cgroup, network and user, a
 * root of read-only binds, tmpfs, /proc and a minimal /dev, no capabilities. None of them has a filter of system calls here.
 */
export interface Rival {
  readonly name: string;
  /** Shell command that runs `true` once. */
  readonly command: string;
  /** Shell command that readies a private mount namespace for all runs. */
  readonly setUp?: string;
}

const BWRAP =
  "bwrap --unshare-user --uid 1000 --gid 1000 --unshare-pid --unshare-ipc --unshare-uts --unshare-cgroup --unshare-net --ro-bind /usr /usr " +
  "--symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 --ro-bind /etc /etc --proc /proc --dev /dev " +
  "--tmpfs /tmp --tmpfs /work --chdir /work --cap-drop ALL --new-session true";
const UNSHARE = "unshare --user --map-root-user --pid --fork --mount --ipc --uts --cgroup --net --mount-proc true";

/** The rivals that are installed. @param dir folder for their files */
export async function installedRivals(dir: string): Promise<Rival[]> {
  const bundle = await makeBundle(dir);
  const all: Rival[] = [
    { name: "bwrap", command: BWRAP },
    {
      name: "crun",
      command: `crun --root ${dir}/crun --cgroup-manager=disabled run --bundle ${bundle} bench-$$-$i`,
      // It refuses hosts that have both cgroup versions.
      setUp: "mount -t cgroup2 none /sys/fs/cgroup",
    },
    { name: "runc", command: `runc --root ${dir}/runc run --bundle ${bundle} bench-$$-$i` },
    { name: "unshare", command: UNSHARE },
  ];
  const works = await Promise.all(
    all.map(async (rival) => (await shell(`i=0; ${rival.command}`, rival.setUp)).success),
  );
  return all.filter((_, index) => works[index]);
}

async function shell(script: string, setUp?: string): Promise<Deno.CommandOutput> {
  const [command, ...args] = setUp === undefined
    ? ["sh", "-c", script]
    : ["unshare", "--mount", "sh", "-c", `${setUp} && ${script}`];
  return await new Deno.Command(command!, { args, stdin: "null" }).output();
}

/** Runs the rival so often, one after another. @returns ms a run */
export async function timeSerially(rival: Rival, runs: number): Promise<number> {
  const begin = performance.now();
  const loop = `i=0; while [ $i -lt ${runs} ]; do i=$((i+1)); ${rival.command} || exit 1; done`;
  const { success, stderr } = await shell(loop, rival.setUp);
  if (!success) throw new Error(`Cannot run ${rival.name}: ${new TextDecoder().decode(stderr)}`);
  return (performance.now() - begin) / runs;
}

/** Runs of the rival per second with so many at once. */
export async function ratePerSecond(rival: Rival, runs: number, inFlight: number): Promise<number> {
  const begin = performance.now();
  const escaped = rival.command.replaceAll("'", `'\\''`);
  const { success } = await shell(`seq ${runs} | xargs -P ${inFlight} -I{} sh -c 'i={}; ${escaped}'`, rival.setUp);
  if (!success) throw new Error(`Cannot run ${rival.name} ${inFlight} at once`);
  return runs / ((performance.now() - begin) / 1000);
}

/** An OCI bundle with the namespaces above. */
async function makeBundle(dir: string): Promise<string> {
  const bundle = `${dir}/bundle`;
  // In their user namespace root is not the host's.
  await Deno.chmod(dir, 0o711);
  for (const name of ["usr", "etc", "proc", "dev", "tmp", "work"]) {
    await Deno.mkdir(`${bundle}/rootfs/${name}`, { recursive: true });
  }
  for (const name of ["bin", "lib", "lib64"]) await Deno.symlink(`usr/${name}`, `${bundle}/rootfs/${name}`);
  const bind = (path: string) => ({
    destination: path,
    source: path,
    type: "bind",
    options: ["rbind", "ro", "nosuid", "nodev"],
  });
  const none: string[] = [];
  const config = {
    ociVersion: "1.0.2",
    process: {
      user: { uid: 1000, gid: 1000 },
      args: ["/usr/bin/true"],
      env: ["PATH=/usr/bin"],
      cwd: "/work",
      noNewPrivileges: true,
      capabilities: { bounding: none, effective: none, permitted: none, inheritable: none, ambient: none },
    },
    root: { path: "rootfs", readonly: true },
    hostname: "bench",
    mounts: [
      bind("/usr"),
      bind("/etc"),
      { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"] },
      { destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev"] },
      { destination: "/work", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev"] },
    ],
    linux: {
      namespaces: ["pid", "mount", "ipc", "uts", "cgroup", "network", "user"].map((type) => ({ type })),
      uidMappings: [{ containerID: 0, hostID: 3_000_000_000, size: 65_536 }],
      gidMappings: [{ containerID: 0, hostID: 3_000_000_000, size: 65_536 }],
    },
  };
  await Deno.writeTextFile(`${bundle}/config.json`, JSON.stringify(config));
  return bundle;
}
