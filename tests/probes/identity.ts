/** Who a job is, and whether it can become more. */
import assert from "node:assert/strict";
import { PRIVILEGES, switchedOff, without } from "./defences.ts";
import { refusedCalls, shown } from "./expect.ts";
import type { Lab } from "./lab.ts";
import { type Probe, sh, systemCalls } from "./probe.ts";

/** A struct timespec: 1970. */
const EPOCH = "\0".repeat(16);

/** `hostname x`, `chrt -r 99`, `ionice -c1` and `nice -n -20`: the tools themselves ask who calls before the kernel does. */
const PRIORITIES = [
  ["sethostname", 170, "x", 1],
  ["sched_setscheduler", 144, 0, 2, "\x63\0\0\0"],
  ["ioprio_set", 251, 1, 0, 1 << 13],
  ["setpriority", 141, 0, 0, -20],
] as const;

const STATUS = { command: sh("grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status") } as const;

function privileges(out: string): Record<string, number> {
  return Object.fromEntries(
    [...out.matchAll(/^(\w+):\s+([0-9a-f]+)$/gm)].map(([, name, hex]) => [name, parseInt(hex!, 16)]),
  );
}

const NOTHING = { CapInh: 0, CapPrm: 0, CapEff: 0, CapBnd: 0, CapAmb: 0, NoNewPrivs: 1, Seccomp: 2 };

/** Where the guest's host keeps a program that is setuid root, as a test put it there. */
const SETUID = "/usr/local/bin/joblet-probe-id";

async function uidMaps(lab: Lab, off: boolean): Promise<readonly [string, string]> {
  const alter = off ? switchedOff("user namespace") : {};
  const job = { command: sh("id -u; cat /proc/self/uid_map; echo; sleep 100") };
  const ids = [await lab.start(job, alter), await lab.start(job, alter)].map(({ id }) => id);
  try {
    for (const id of ids) await lab.live(id).mustSay("\n\n");
  } finally {
    for (const id of ids) await lab.engine.stop(id, { signal: "SIGKILL" });
  }
  const [first, second] = await Promise.all(ids.map(async (id) => (await lab.finish(id)).out.trim()));
  return [first!, second!];
}

export const IDENTITY: readonly Probe[] = [
  {
    number: 38,
    title: "setuid programs, su and sudo",
    job: async () => {
      await Deno.copyFile("/usr/bin/id", SETUID);
      await Deno.chmod(SETUID, 0o4755);
      return {
        command: sh(`${SETUID} -u; id -u; su -c 'id -u' </dev/null; sudo -n id -u; grep NoNewPrivs /proc/self/status`),
      };
    },
    expect: (result) => {
      const [setuid, own, status, ...more] = result.out.trim().split("\n");
      assert.equal(setuid, own, shown(result));
      assert.notEqual(setuid, "0");
      assert.match(status ?? "", /^NoNewPrivs:\s+1$/);
      assert.deepEqual(more, []);
    },
    twin: without("nosuid on programs", "no new privileges", "user namespace", "seccomp", "Landlock"),
  },
  {
    number: 39,
    title: "no capability, no new privileges, a system call filter",
    safeOnHost: true,
    job: STATUS,
    expect: (result) => assert.deepEqual(privileges(result.out), NOTHING),
    twin: without("seccomp"),
  },
  {
    number: 39,
    part: "capabilities",
    title: "the same, capabilities left",
    job: STATUS,
    expect: (result) => assert.deepEqual(privileges(result.out), NOTHING),
    twin: without("capabilities", "unprivileged user", "user namespace"),
  },
  {
    number: 39,
    part: "no new privileges",
    title: "the same, new privileges allowed",
    job: STATUS,
    expect: (result) => assert.deepEqual(privileges(result.out), NOTHING),
    twin: without("no new privileges", "Landlock", "seccomp"),
  },
  {
    number: 40,
    title: "users of two running jobs have nothing in common",
    safeOnHost: true,
    script: async (lab, off) => {
      const maps = await uidMaps(lab, off);
      const ranges = maps.map((out) => {
        const [uid, ...lines] = out.split("\n");
        assert.notEqual(uid, "0");
        return lines.map((line) => line.trim().split(/\s+/).map(Number));
      });
      for (const [, outside, count] of ranges[0]!) {
        assert(outside! >= 65536, `${outside} is a user of the host`);
        for (const [, other, otherCount] of ranges[1]!) {
          assert(outside! + count! <= other! || other! + otherCount! <= outside!, `${maps[0]} meets ${maps[1]}`);
        }
      }
    },
    twin: without("user namespace"),
  },
  {
    number: 43,
    title: "clock, host name, priorities",
    safeOnHost: true,
    job: { command: systemCalls([["clock_settime", 227, 0, EPOCH], ...PRIORITIES]) },
    expect: (result) => {
      const names = PRIORITIES.map(([name]) => name);
      const wanted = result.out.startsWith("clock") ? ["clock_settime", ...names] : names;
      refusedCalls(result, wanted, "EPERM", "EACCES", "ENOSYS");
    },
    // The guest's clock stays as it is.
    twin: { ...without(...PRIVILEGES), job: { command: systemCalls(PRIORITIES) } },
  },
];
