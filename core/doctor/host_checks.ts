import { landlockAbi } from "../../ffi/mod.ts";
import { openEngine } from "../engine.ts";
import { defaultEngineConfig } from "../config.ts";
import { flagsOf } from "../cgroup/limits.ts";
import { findCgroup2, parseMountinfo } from "../cgroup/mountinfo.ts";
import { type Home, homeAt } from "../values/home.ts";
import { type Check, failed, passed } from "./check.ts";
import { checkNamespaces, probeNamespaces } from "./namespace_probe.ts";

const MIN_KERNEL = [5, 14] as const; // cgroup.kill
const MIN_FREE_BYTES = 1024 ** 3;
const CONTROLLERS = ["cpu", "memory", "io", "cpuset", "pids"] as const;

/** The kernel's release against what joblet needs. @param release as uname -r prints it */
export function checkKernel(release: string, arch: string): Check {
  const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
  const found = `Linux ${release} on ${arch}`;
  const [wantedMajor, wantedMinor] = MIN_KERNEL;
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return passed("kernel", found);
  return failed("kernel", found, `Linux ${MIN_KERNEL.join(".")} or newer is needed: upgrade the kernel`);
}

/** @param uid effective user @param status text of /proc/self/status */
export function checkPrivileges(uid: number, status: string): Check {
  const capabilities = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
  const sysAdmin = (capabilities >> 21n & 1n) === 1n;
  if (uid === 0 && sysAdmin) return passed("privileges", "root with CAP_SYS_ADMIN");
  const found = uid === 0 ? "root without CAP_SYS_ADMIN" : `user ${uid}`;
  return failed(
    "privileges",
    found,
    "the server must run as root with CAP_SYS_ADMIN (sudo, or a privileged container)",
  );
}

/** Where cgroup v2 is and which limits it can enforce. @param readControllers content of a cgroup.controllers file */
export function checkCgroup(mountinfo: string, readControllers: (root: string) => string): Check[] {
  const mount = findCgroup2(parseMountinfo(mountinfo));
  if (!mount) {
    return [failed("cgroup v2", "not mounted", "mount it: mount -t cgroup2 none /sys/fs/cgroup")];
  }
  const present = readControllers(mount.mountPoint).trim().split(" ");
  const missing = CONTROLLERS.filter((controller) => !present.includes(controller));
  const where = passed("cgroup v2", mount.mountPoint);
  if (missing.length === 0) return [where, passed("limits", CONTROLLERS.join(", "))];
  const flags = missing.flatMap(flagsOf).join(", ");
  const cure = `jobs run, but these limits are refused: ${flags}; ` +
    "for them boot with cgroup_no_v1=all systemd.unified_cgroup_hierarchy=1";
  return [where, failed("limits", `no cgroup v2 controller ${missing.join(", ")}`, cure)];
}

/** Versions of Landlock that restrict opening files, and that keep abstract sockets apart. */
const LANDLOCK_FILES = 1;
const LANDLOCK_SCOPES = 6;

/** @param abi version of the kernel's Landlock; 0: it has none */
export function checkLandlock(abi: number): Check {
  if (abi >= LANDLOCK_SCOPES) return passed("Landlock", `version ${abi}`);
  if (abi < LANDLOCK_FILES) {
    const cure = "jobs run without this second layer; boot with landlock in the kernel's lsm= list";
    return failed("Landlock", "not in the kernel, or not switched on", cure);
  }
  const cure = "jobs with --network host can reach abstract sockets of the host; Linux 6.12 or newer prevents that";
  return failed("Landlock", `version ${abi}, without scopes`, cure);
}

/** Room below the home folder. @param df output of df -P -B1 */
export function checkDisk(df: string): Check {
  const fields = df.trim().split("\n").at(-1)?.split(/\s+/) ?? [];
  const free = Number(fields[3]);
  const found = `${(free / 1024 ** 3).toFixed(1)} GiB free on ${fields[5]}`;
  if (free >= MIN_FREE_BYTES) return passed("disk", found);
  return failed("disk", found, "free at least 1 GiB, or move JOBLET_HOME to a larger disk");
}

/** Runs `true` in a real sandbox, in a home folder of its own. */
export async function checkSandbox(): Promise<Check> {
  const dir = await Deno.makeTempDir({ prefix: "joblet-doctor-" });
  const problems: string[] = [];
  try {
    const engine = await openEngine(
      defaultEngineConfig(homeAt(dir)),
      (what, error) => problems.push(`${what}: ${error}`),
    );
    try {
      const begin = performance.now();
      const job = await engine.run({ command: "true" }, "doctor");
      for await (const batch of engine.logs(job.id, { follow: true }, AbortSignal.timeout(10_000))) {
        if (batch.endedJob?.status.state !== "completed" && batch.endedJob) {
          problems.push(`it ${batch.endedJob.status.state}`);
        }
      }
      if (job.status.state === "failed") problems.push(job.status.failure?.message ?? "it failed");
      const ms = (performance.now() - begin).toFixed(1);
      if (problems.length === 0) return passed("sandbox", `a test job ran in ${ms} ms`);
    } finally {
      await engine.close();
    }
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
  return failed("sandbox", `a test job did not run: ${problems.join("; ")}`, "see the failures above, or report this");
}

/** All checks of the host. */
export async function checkHost(home: Home): Promise<Check[]> {
  const status = await Deno.readTextFile("/proc/self/status");
  const privileges = checkPrivileges(Deno.uid() ?? -1, status);
  const mountinfo = await Deno.readTextFile("/proc/self/mountinfo");
  const controllers = (root: string) => Deno.readTextFileSync(`${root}/cgroup.controllers`);
  return [
    checkKernel(Deno.osRelease(), Deno.build.arch),
    privileges,
    ...(privileges.ok ? [checkNamespaces(await probeNamespaces())] : []),
    ...checkCgroup(mountinfo, controllers),
    checkLandlock(landlockAbi()),
    checkDisk(await freeSpace(home)),
    ...(privileges.ok ? [await checkSandbox()] : []),
  ];
}

async function freeSpace(home: Home): Promise<string> {
  const args = ["-P", "-B1", await nearestFolder(home.root)];
  const { stdout } = await new Deno.Command("df", { args, env: { LC_ALL: "C" } }).output();
  return new TextDecoder().decode(stdout);
}

/** The folder itself or the nearest one above it that exists. */
async function nearestFolder(path: string): Promise<string> {
  try {
    await Deno.stat(path);
    return path;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return await nearestFolder(path.slice(0, path.lastIndexOf("/")) || "/");
  }
}
