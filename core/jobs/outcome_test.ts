import assert from "node:assert/strict";
import { IllegalTransitionError, type Job, type JobStatus, transition } from "./job.ts";
import { type RunEnd, terminalStatus } from "./outcome.ts";

const startedAt = new Date(1000);
const endedAt = new Date(2000);

function jobIn(status: JobStatus): Job {
  const spec = { command: "x", args: [], name: "", env: {}, workdir: "/work", network: "none", limits: {} } as const;
  return { id: "id", owner: "me", spec, status, createdAt: startedAt, version: 1 };
}

const running = jobIn({ state: "running", startedAt });
const stopping = jobIn({ state: "stopping", startedAt, requestedAt: startedAt });

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
    const status = terminalStatus(job, end(fields));
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
