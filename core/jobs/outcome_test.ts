import assert from "node:assert/strict";
import { IllegalTransitionError, type Job, type JobStatus, transition } from "./job.ts";
import { someJob } from "./_job_fixture.ts";
import { isRetried, type RunEnd, terminalStatus } from "./outcome.ts";
import type { RetryCause } from "./spec.ts";

const startedAt = new Date(1000);
const endedAt = new Date(2000);

function jobIn(status: JobStatus): Job {
  return someJob({ status });
}

const running = jobIn({ state: "running", startedAt });
const stopping = jobIn({
  state: "stopping",
  startedAt,
  requestedAt: startedAt,
  signal: "SIGTERM",
  killAt: new Date(5000),
});
const CONTEXT = { stopRequested: false, lostDetail: "its init was killed" };

const exit = (code: number) => ({ kind: "exited", code }) as const;
const signal = (number: number) => ({ kind: "signaled", signal: number }) as const;

function end(fields: Partial<RunEnd>): RunEnd {
  return { exit: undefined, timedOut: false, signalPassedOn: false, oomKilled: false, endedAt, ...fields };
}

const CASES: readonly [string, Job, Partial<RunEnd>, string, string][] = [
  ["exit 0", running, { exit: exit(0) }, "completed", "exited"],
  ["exit 3", running, { exit: exit(3) }, "failed", "exited"],
  ["signal 11", running, { exit: signal(11) }, "failed", "signaled"],
  ["killed by the host's administrator", running, { exit: signal(9) }, "failed", "signaled"],
  ["out of memory", running, { exit: signal(9), oomKilled: true }, "failed", "out_of_memory"],
  ["a child out of memory, program exits 1", running, { exit: exit(1), oomKilled: true }, "failed", "exited"],
  ["timeout", running, { exit: signal(15), timedOut: true }, "timeout", "timeout"],
  ["timeout that the program ends with 0", running, { exit: exit(0), timedOut: true }, "timeout", "timeout"],
  ["stop by the signal", stopping, { exit: signal(15), signalPassedOn: true }, "stopped", "stopped"],
  ["stop that the program handles", stopping, { exit: exit(0), signalPassedOn: true }, "stopped", "stopped"],
  ["stop by the kill", stopping, { exit: signal(9) }, "stopped", "stopped"],
  ["natural end before the stop arrived", stopping, { exit: exit(0) }, "completed", "exited"],
  ["natural failure before the stop arrived", stopping, { exit: exit(4) }, "failed", "exited"],
  ["a signal from outside without a stop", running, { exit: exit(0), signalPassedOn: true }, "completed", "exited"],
  ["no exit frame", running, {}, "lost", "lost"],
];

for (const [name, job, fields, state, reason] of CASES) {
  Deno.test(`terminalStatus of ${name} is ${state} (${reason})`, () => {
    const status = terminalStatus(job, end(fields), CONTEXT);
    assert.equal(status.state, state);
    assert("reason" in status && status.reason === reason);
    assert.deepEqual("exit" in status ? status.exit : undefined, fields.exit);
    assert.equal(transition(job, status).version, 2);
  });
}

Deno.test("transition refuses to leave a terminal state and to skip the start", () => {
  const ended = transition(running, { state: "completed", reason: "exited", endedAt, exit: exit(0) });
  assert.throws(() => transition(ended, { state: "running", startedAt }), IllegalTransitionError);
  assert.throws(
    () => transition(jobIn({ state: "pending" }), { state: "running", startedAt }),
    /'pending' to state 'running'/,
  );
});

Deno.test("terminalStatus counts a stop that could not be stored", () => {
  const status = terminalStatus(running, end({ exit: signal(9) }), { ...CONTEXT, stopRequested: true });
  assert.equal(status.state, "stopped");
});

Deno.test("terminalStatus of a lost job says why", () => {
  assert.equal(terminalStatus(running, end({}), { ...CONTEXT, lostDetail: "reboot" }).detail, "reboot");
});

Deno.test("isRetried follows the policy's causes and its limit, and never a stop, a success or a failed start", () => {
  const all: RetryCause[] = ["exit", "signal", "out_of_memory", "lost", "timeout"];
  const failure = { step: "s", errno: "ENOENT", message: "m", exitCode: 127 } as const;
  const cases: [RetryCause | undefined, Partial<RunEnd>][] = [
    ["exit", { exit: exit(3) }],
    ["signal", { exit: signal(11) }],
    ["out_of_memory", { exit: signal(9), oomKilled: true }],
    ["lost", {}],
    ["timeout", { exit: signal(15), timedOut: true }],
    [undefined, { exit: exit(0) }],
    [undefined, { failure }],
  ];
  for (const [cause, fields] of cases) {
    const ended = (job: Job) => terminalStatus(job, end(fields), CONTEXT);
    for (const on of all) {
      const job = { ...running, spec: { ...running.spec, retry: { limit: 2, delayMs: 0, on: [on] } } };
      assert.equal(isRetried(job, ended(job), false), on === cause);
      assert.equal(isRetried({ ...job, attempt: 3 }, ended(job), false), false);
      assert.equal(isRetried(job, ended(job), true), false);
    }
    assert.equal(isRetried(running, ended(running), false), false);
  }
});

Deno.test("terminalStatus tells which limits a job reached if it failed, and nothing of them if not", () => {
  const detail = "it reached its limit of 64 processes";
  const told = (fields: Partial<RunEnd>, job = running) =>
    terminalStatus(job, end({ detail, ...fields }), CONTEXT).detail;
  for (const failed of [{ exit: exit(1) }, { exit: signal(6) }, { exit: signal(9), oomKilled: true }]) {
    assert.equal(told(failed), detail);
  }
  assert.equal(told({ exit: signal(15), timedOut: true }), detail);
  assert.equal(told({ exit: exit(0) }), undefined);
  assert.equal(told({ exit: signal(9) }, stopping), undefined);
  assert.equal(told({}), CONTEXT.lostDetail);
});
