/** Jobs that will not end, or leave something behind when they do. */
import assert from "node:assert/strict";
import { plans } from "./alter.ts";
import { switchedOff, without } from "./defences.ts";
import { between, exitCode, reason, shown } from "./expect.ts";
import type { Lab } from "./lab.ts";
import { type Probe, type ProbeJob, python, sh } from "./probe.ts";
import { within } from "./slow.ts";

const GRACE_MS = 2000;
/** Added to each bound: what a start, an end and a call take in the guest. */
const SLACK_MS = 3000;

/** Stops a job once it has said "up", and returns how long that took. */
async function timeToStop(lab: Lab, command: ProbeJob["command"], graceMs: number): Promise<number> {
  const { id } = await lab.start({ command });
  await lab.live(id).mustSay("up\n");
  const asked = performance.now();
  const { status } = await lab.engine.stop(id, { graceMs });
  assert.equal(status.state, "stopped");
  assert.deepEqual("exit" in status && status.exit, { kind: "signaled", signal: 9 });
  return performance.now() - asked;
}

const noTimeout = plans((plan) => ({ ...plan, timeoutMs: 0 }));

/** How long a job with a time limit of a second runs, while its server is opened anew. */
async function timedOut(lab: Lab, off: boolean, meanwhile: () => Promise<void>): Promise<void> {
  const job = await lab.start({ command: ["sleep", "1000"], timeoutMs: 1000 }, off ? noTimeout : {});
  const begun = performance.now();
  await meanwhile();
  // The twin's job would run on.
  const deadline = setTimeout(() => void lab.engine.stop(job.id, { signal: "SIGKILL" }), 6000);
  const ended = await lab.finish(job.id);
  clearTimeout(deadline);
  assert.equal(ended.job.status.state, "timeout");
  const { startedAt, endedAt } = ended.job.status as { startedAt: Date; endedAt: Date };
  void startedAt, endedAt;
  between(performance.now() - begun, 0, 1300 + SLACK_MS, "milliseconds until the end");
}

/** Sets the guest's clock forward for a while. */
async function jumpClock(): Promise<void> {
  const date = async (shift: number) => {
    const seconds = Math.round(Date.now() / 1000) + shift;
    const { success } = await new Deno.Command("date", { args: ["-s", `@${seconds}`], stdout: "null" }).output();
    if (!success) throw new Error("cannot set the clock");
  };
  await date(3600);
  await date(-3600);
}

export const LIFECYCLE: readonly Probe[] = [
  {
    number: 19,
    title: "kill -9 -1",
    script: async (lab) => {
      const { id } = await lab.start({ command: sh("echo up; sleep 1000") });
      try {
        await lab.live(id).mustSay("up\n");
        // The shell's own kill: it is not a target of its own signal.
        const result = await lab.run({ command: sh("sleep 1000 & kill -9 -1; wait $!; echo $?") });
        assert.equal(result.out, "137\n", shown(result));
        assert.equal(lab.engine.get(id).status.state, "running");
      } finally {
        await lab.engine.stop(id, { signal: "SIGKILL" });
      }
    },
    twin: { none: "init refuses to run outside of a PID namespace of its own" },
  },
  {
    number: 49,
    title: "orphans are reaped",
    job: { command: sh("(sleep 0.5 &); sleep 3; ps -ax -o comm=,stat=") },
    expect: (result) => assert.doesNotMatch(result.out, /sleep|Z/, shown(result)),
    twin: { none: "init reaps because it is process 1; there is no step to leave out" },
  },
  ...["setsid sleep 1000 & exit 0", "(sleep 1000 &) ; exit 0", "nohup sleep 1000 >/dev/null & exit 0"].map((
    script,
    index,
  ): Probe => ({
    number: 50,
    part: ["setsid", "double fork", "nohup"][index]!,
    title: `what outlives its program: ${script}`,
    safeOnHost: true,
    job: { command: sh(script) },
    expect: (result) => {
      assert.equal(exitCode(result), 0);
      within(result.ms, 1000 + SLACK_MS, "the end");
    },
    twin: { none: "the end of init ends the namespace, and the server kills the cgroup: neither is a step" },
  })),
  {
    number: 51,
    title: "a job that ignores SIGTERM",
    script: async (lab, off) => {
      const ms = await timeToStop(lab, sh('trap "" TERM; echo up; while :; do sleep 1; done'), off ? 6000 : GRACE_MS);
      between(ms, GRACE_MS - 50, GRACE_MS + 500 + SLACK_MS, "milliseconds to stop");
    },
    twin: { off: "the grace, which is 6 s" },
  },
  {
    number: 52,
    title: "a job that has stopped itself",
    script: async (lab, off) => {
      const ms = await timeToStop(lab, sh("echo up; kill -STOP $$"), off ? 6000 : GRACE_MS);
      between(ms, 0, GRACE_MS + 500 + SLACK_MS, "milliseconds to stop");
    },
    twin: { off: "the grace, which is 6 s" },
  },
  {
    number: 53,
    title: "time limit",
    script: (lab, off) => timedOut(lab, off, () => Promise.resolve()),
    twin: { off: "the time limit of init" },
  },
  {
    number: 53,
    part: "restart",
    title: "time limit, through a restart of the server",
    script: (lab, off) => timedOut(lab, off, () => lab.reopen()),
    twin: { off: "the time limit of init" },
  },
  {
    number: 53,
    part: "clock",
    title: "time limit, through a jump of the clock",
    script: (lab, off) => timedOut(lab, off, jumpClock),
    twin: { off: "the time limit of init" },
  },
  {
    number: 54,
    title: "a job that closes its output lives on",
    job: { command: sh("exec >&- 2>&- <&-; sleep 1; exit 3") },
    expect: (result) => {
      assert.equal(exitCode(result), 3, shown(result));
      assert.equal(reason(result), "exited");
      assert(result.ms >= 1000, `ended after ${result.ms} ms`);
    },
    twin: { none: "init waits for the program, not for its output; there is no step to leave out" },
  },
  {
    number: 54,
    part: "inherited",
    title: "write to every file that may have been inherited",
    safeOnHost: true,
    script: async (lab, off) => {
      const command = python(`
import os
for fd in range(3, 1024):
    try:
        os.write(fd, b"x")
        print(fd, "written")
    except OSError as e:
        if e.errno != 9: print(fd, e.strerror)`);
      const result = await lab.run({ command }, off ? switchedOff("closed files") : {});
      assert.deepEqual([result.out, exitCode(result)], ["", 0], shown(result));
    },
    twin: without("closed files"),
  },
];
