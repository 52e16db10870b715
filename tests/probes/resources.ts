/** Jobs that take all that they can get. */
import assert from "node:assert/strict";
import { changed, limit, plans } from "./alter.ts";
import { PRIVILEGES, without } from "./defences.ts";
import { between, exitCode, reason, refusals, shown } from "./expect.ts";
import type { Lab, LiveJob } from "./lab.ts";
import { type Probe, python, sh } from "./probe.ts";
import { within } from "./slow.ts";

const MIB = 1024 * 1024;
/** The guest clears memory at some 40 MiB a second. */
const SMALL = { limits: { memoryBytes: 32 * MIB } };
const BOMB_MS = 3000;

const number = (file: string, key: string) => Number(new RegExp(`^${key} (\\d+)$`, "m").exec(file)?.[1] ?? NaN);

/** Processes in the job's cgroup once the first of them is refused another. */
async function crowd(live: LiveJob) {
  const refused = await live.untilOutput("Resource temporarily unavailable", "stderr");
  return refused
    ? { processes: Number(live.cgroup("pids.current")), refusals: number(live.cgroup("pids.events"), "max") }
    : {};
}

/** The longest of some jobs that do nothing, in milliseconds. */
async function slowest(lab: Lab): Promise<number> {
  let most = 0;
  for (let count = 0; count < 10; count++) most = Math.max(most, (await lab.run({ command: ["true"] })).ms);
  return most;
}

const scratch = (option: RegExp, value: string) =>
  plans(
    changed(/^mount tmpfs on \/tmp$/, (args) =>
      args.map((arg) => typeof arg === "string" ? arg.replace(option, value) : arg)),
  );

export const RESOURCES: readonly Probe[] = [
  {
    number: 1,
    title: "fork bomb",
    job: { command: ["bash", "-c", "f(){ f|f& };f;sleep 5"], timeoutMs: 4000 },
    act: crowd,
    expect: ({ facts, job }) => {
      between(Number(facts["processes"]), 2, 64, "processes");
      assert(Number(facts["refusals"]) > 0, "pids.events counts refusals");
      assert.match(JSON.stringify(job.status), /processes|pids/, "the job's record tells of the limit");
    },
    twin: { off: "pids.max", alter: limit("pids.max", "1000") },
  },
  {
    number: 2,
    title: "memory bomb",
    job: { command: ["tail", "/dev/zero"], ...SMALL, timeoutMs: 8000 },
    expect: (result) => {
      assert.equal(reason(result), "out_of_memory", shown(result));
      assert.deepEqual("exit" in result.job.status && result.job.status.exit, { kind: "signaled", signal: 9 });
      within(result.ms, BOMB_MS, "the bomb's death");
    },
    twin: { off: "memory.max", alter: plans(), job: { limits: { memoryBytes: 1024 * MIB } } },
  },
  {
    number: 3,
    title: "a memory bomb's survivors",
    job: { command: sh("tail /dev/zero; echo survived"), ...SMALL },
    expect: (result) => {
      assert.equal(result.out, "");
      assert.equal(reason(result), "out_of_memory", shown(result));
    },
    twin: { off: "memory.oom.group", alter: limit("memory.oom.group") },
  },
  {
    number: 4,
    title: "fill /dev/shm",
    job: { command: sh("dd if=/dev/zero of=/dev/shm/x bs=1M; stat -c %s /dev/shm/x") },
    expect: (result) => {
      assert.match(result.err, /No space left on device/, shown(result));
      between(Number(result.out), MIB, 64 * MIB, "bytes in /dev/shm");
    },
    twin: { off: "bound of the scratch space", alter: scratch(/size=\d+/, `size=${96 * MIB}`) },
  },
  {
    number: 5,
    title: "fill /work",
    job: { command: sh("dd if=/dev/zero of=./x bs=1M; stat -c %s x") },
    expect: (result) => {
      assert.match(result.err, /No space left on device|Disk quota exceeded/, shown(result));
      between(Number(result.out), MIB, 64 * MIB, "bytes in /work");
    },
    twin: { off: "bound of the scratch space", alter: scratch(/size=\d+/, `size=${96 * MIB}`) },
  },
  {
    number: 5,
    part: "together",
    title: "fill /work, /tmp and /dev/shm",
    job: {
      command: sh(
        "for f in /work/x /tmp/x /dev/shm/x; do dd if=/dev/zero of=$f bs=1M count=40; done 2>&1; cat /work/x /tmp/x /dev/shm/x | wc -c",
      ),
    },
    expect: (result) => {
      assert.match(result.out, /No space left on device/, shown(result));
      between(Number(result.out.trim().split("\n").at(-1)), 40 * MIB, 64 * MIB, "bytes in all");
    },
    twin: { off: "bound of the scratch space", alter: scratch(/size=\d+/, `size=${128 * MIB}`) },
  },
  {
    number: 6,
    title: "a file for every inode",
    job: {
      command: python(`
n = 0
try:
    while n < 3000:
        open(f"f{n}", "w").close()
        n += 1
except OSError as e:
    print(e.strerror)
print(n)`),
      limits: { diskInodes: 500 },
    },
    expect: (result) => {
      const [error, count] = result.out.split("\n");
      assert.match(error!, /No space left|quota/, shown(result));
      between(Number(count), 100, 500, "files");
    },
    twin: { off: "bound of the scratch space", alter: scratch(/nr_inodes=\d+/, "nr_inodes=9000") },
  },
  {
    number: 7,
    title: "open files",
    safeOnHost: true,
    job: {
      command: python(`
l = []
try:
    while len(l) < 9000:
        l.append(open("/dev/null"))
except OSError as e:
    print(e.errno, len(l))`),
    },
    expect: (result) => {
      const [errno, count] = result.out.split(" ").map(Number);
      assert.equal(errno, 24, shown(result));
      between(count!, 100, 1024, "open files");
    },
    twin: {
      off: "limit of open files",
      alter: plans(changed(/^limit open files/, ([pid, kind, , old]) => [pid!, kind!, rlimit(10_000n), old!])),
    },
  },
  {
    number: 30,
    title: "lift one's own limits",
    job: {
      command: sh(
        "for f in /sys/fs/cgroup/memory.max $(find /sys /run -name memory.max 2>/dev/null); do echo max >$f; done; echo tried; sleep 100",
      ),
    },
    act: async (live) => {
      await live.mustSay("tried\n");
      const max = live.cgroup("memory.max");
      await live.lab.engine.stop(live.id, { signal: "SIGKILL" });
      return { max };
    },
    expect: (result) => {
      refusals(result, 1, "EROFS", "ENOENT", "EACCES", "EPERM");
      assert.equal(result.facts["max"], String(256 * MIB));
    },
    twin: without(...PRIVILEGES, "no cgroup file system", "cgroup namespace"),
  },
  {
    number: 44,
    title: "busy at 10 % of a core",
    job: { command: sh("while :; do :; done"), limits: { cpuPercent: 10 }, timeoutMs: 10_000 },
    act: async ({ lab }) => ({ slowest: await slowest(lab) }),
    expect: (result) => {
      const { usage } = result.job.status as { usage?: { cpuUserMs?: number; cpuSystemMs?: number } };
      between((usage?.cpuUserMs ?? 0) + (usage?.cpuSystemMs ?? 0), 900, 1150, "milliseconds of a processor");
      assert.equal(reason(result), "timeout");
      assert(Number(result.facts["slowest"]) <= 1000, `another job took ${result.facts["slowest"]} ms`);
    },
    twin: { off: "cpu.max", alter: limit("cpu.max"), job: { timeoutMs: 4000 } },
  },
  {
    number: 48,
    title: "zombies",
    job: {
      command: python(`
import os, time
n = 0
try:
    while n < 1000:
        if os.fork() == 0:
            os._exit(0)
        n += 1
except OSError as e:
    print(e.errno, n)`),
    },
    expect: (result) => {
      const [errno, count] = result.out.split(" ").map(Number);
      assert.equal(errno, 11, shown(result));
      between(count!, 10, 64, "children");
      assert.equal(exitCode(result), 0);
    },
    twin: { off: "pids.max", alter: limit("pids.max", "200") },
  },
];

/** struct rlimit, soft and hard alike. */
function rlimit(value: bigint): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new BigUint64Array([value, value]).buffer);
}
