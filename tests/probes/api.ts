/** What comes in from outside: working directories, names, environment, and how much of it. */
import assert from "node:assert/strict";
import { EngineError } from "../../core/errors.ts";
import { changed, plans } from "./alter.ts";
import { shown } from "./expect.ts";
import { Lab } from "./lab.ts";
import { type Probe, type ProbeJob, sh } from "./probe.ts";

const WORKDIRS = ["/proc/self/fd/7", "/proc/self/cwd/..", "/../..", "/work/../.."];

const NAMES = ["../../x", "a/b", "a\nb", "a\0b", "x".repeat(10_240), "--flag", "$(id)"];

/** An engine that takes few jobs, with two slots for running ones. */
async function crowded(lab: Lab, maxWaitingPerOwner: number): Promise<void> {
  const queue = { maxRunning: 2, maxWaiting: 10_000, maxWaitingPerOwner };
  const home = `${lab.home}-crowded`;
  await using other = await Lab.open({ home, limits: lab.limits, config: { queue, stateBackend: "memory" } });
  const job: ProbeJob = { command: sh("echo up; sleep 1000"), owner: "ann" };
  const first = await other.start(job);
  await other.start(job);
  await other.live(first.id).mustSay("up\n");
  for (let waiting = 0; waiting < 500; waiting++) await other.start(job);
  await assert.rejects(other.start(job), (error) => error instanceof EngineError && error.kind === "exhausted");
  const begun = performance.now();
  const { id } = await other.start({ command: ["true"], owner: "ben" });
  await other.engine.stop(first.id, { signal: "SIGKILL" });
  const { job: ended } = await other.finish(id);
  assert.equal(ended.status.state, "completed");
  assert(performance.now() - begun <= 2000, "another user's job waits behind all of them");
  await other.engine.deleteAll({});
}

export const API: readonly Probe[] = [
  {
    number: 9,
    title: "working directories that lead out of the root (CVE-2024-21626)",
    safeOnHost: true,
    script: async (lab, off) => {
      for (const workdir of off ? ["/proc/self/cwd/.."] : WORKDIRS) {
        const run = () =>
          off
            ? lab.run({ command: ["pwd"] }, plans(changed(/^enter \/work$/, () => [workdir])))
            : lab.run({ command: ["pwd"], workdir });
        await assert.rejects(run, (error) => error instanceof EngineError && error.kind === "invalid");
      }
    },
    twin: { off: "the check of working directories" },
  },
  {
    number: 59,
    title: "names that are paths, flags or commands",
    safeOnHost: true,
    script: async (lab, off) => {
      for (const name of off ? ["fine"] : NAMES) {
        await assert.rejects(
          lab.engine.run({ command: "true", name }, "probe"),
          (error) => error instanceof EngineError && error.kind === "invalid",
          `name ${JSON.stringify(name)}`,
        );
      }
    },
    twin: { off: "nothing: a name without fault" },
  },
  {
    number: 60,
    title: "variables that change how programs start",
    safeOnHost: true,
    job: {
      command: sh("exec /bin/cat /proc/self/environ"),
      env: { LD_LIBRARY_PATH: "/work", DENO_DIR: "/work", NODE_OPTIONS: "--probe", LD_PRELOAD: "", JOBLET_PROBE: "1" },
    },
    act: (live) => {
      const environments = initPids(live.lab).map((pid) => Deno.readTextFileSync(`/proc/${pid}/environ`));
      return Promise.resolve({ init: environments.join("") });
    },
    expect: (result) => {
      assert(result.out.includes("JOBLET_PROBE=1\0"), shown(result));
      assert.doesNotMatch(String(result.facts["init"]), /JOBLET_PROBE|LD_|DENO_|NODE_/);
    },
    twin: { none: "init's environment is empty by construction; there is no step to leave out" },
  },
  {
    number: 58,
    title: "a root whose /dev or /proc is a link (CVE-2025-31133, CVE-2026-41579)",
    safeOnHost: true,
    job: {
      command: sh("for f in / /dev /proc /work /tmp /dev/null; do stat -c '%n %F' $f; done; stat -f -c %T /proc"),
    },
    expect: (result) => {
      const folders = ["/", "/dev", "/proc", "/work", "/tmp"].map((name) => `${name} directory`);
      assert.deepEqual(result.out.trim().split("\n"), [...folders, "/dev/null character special file", "proc"]);
    },
    twin: { none: "there are no roots but the server's own; unit tests of core/sandbox check how it is made" },
  },
  {
    number: 64,
    title: "a user who fills the queue",
    script: (lab, off) => crowded(lab, off ? 10_000 : 500),
    twin: { off: "the bound of one user's waiting jobs" },
  },
];

function initPids(lab: Lab): string[] {
  const line = lab.engine.plan({ command: "true" }, "probe").find(({ name }) => name === "create the job's cgroup");
  const base = line!.detail.replace(/\/jobs\/user-[^/]*\/job-[^/]*$/, "");
  return Deno.readTextFileSync(`${base}/inits/cgroup.procs`).split("\n").filter((pid) => pid !== "");
}
