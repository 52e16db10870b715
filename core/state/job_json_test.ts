import assert from "node:assert/strict";
import fc from "fast-check";
import type { AttemptEnd, Job, JobStatus } from "../jobs/job.ts";
import { newJobId } from "../values/job_id.ts";
import { decodeJob, encodeJob } from "./job_json.ts";
import { someJob } from "../jobs/_job_fixture.ts";

const date = fc.date({ noInvalidDate: true });
const count = fc.nat(Number.MAX_SAFE_INTEGER);
const exit = fc.oneof(
  fc.record({ kind: fc.constant("exited" as const), code: fc.nat(255) }),
  fc.record({ kind: fc.constant("signaled" as const), signal: fc.integer({ min: 1, max: 64 }) }),
);
const usage = fc.record({
  cpuUserMs: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
  memoryPeakBytes: count,
}, {
  requiredKeys: [],
});
const ran = { endedAt: date, startedAt: date, exit, usage };
const failure = fc.record({
  step: fc.string({ unit: "binary" }),
  errno: fc.constant("ENOENT"),
  message: fc.string({ unit: "binary" }),
  exitCode: fc.constantFrom(125 as const, 126 as const, 127 as const),
});
const reason = fc.constantFrom("exited", "signaled", "stopped", "timeout", "out_of_memory", "start_failed", "lost");
const state = <const S extends string>(...names: readonly S[]) => fc.constantFrom(...names);
const ENDED = { requiredKeys: ["state", "reason", "endedAt"] } as { requiredKeys: ["state", "reason", "endedAt"] };

const status: fc.Arbitrary<JobStatus> = fc.oneof(
  fc.record({ state: state("pending", "initializing") }),
  fc.record({ state: state("scheduled"), at: date }),
  fc.record({ state: state("running"), startedAt: date }),
  fc.record({ state: state("stopping"), startedAt: date, requestedAt: date, killAt: date, signal: state("SIGTERM") }),
  fc.record({ state: state("canceled"), reason, endedAt: date }),
  fc.record({ state: state("completed", "stopped", "timeout", "lost"), reason, ...ran }, ENDED),
  fc.record({ state: state("failed"), reason, failure, ...ran }, ENDED),
) as fc.Arbitrary<JobStatus>;

const spec = fc.record({
  command: fc.string({ unit: "binary" }),
  args: fc.array(fc.string({ unit: "binary" })),
  name: fc.string(),
  env: fc.dictionary(fc.oneof(fc.string(), fc.constantFrom("__proto__", "at", "startedAt")), fc.string(), {
    noNullPrototype: true,
  }),
  workdir: fc.string(),
  network: fc.constantFrom("none" as const, "host" as const),
  limits: fc.record(
    { cpuPercent: count, memoryBytes: count, ioBytesPerSecond: count, cpuCores: fc.array(fc.nat(64)) },
    {
      requiredKeys: [],
    },
  ),
  timeoutMs: count,
  labels: fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }),
  priority: fc.integer({ min: -100, max: 100 }),
}, { requiredKeys: ["command", "args", "name", "env", "workdir", "network", "limits", "labels", "priority"] });

const job: fc.Arbitrary<Job> = fc.record({
  id: fc.constant(newJobId()),
  owner: fc.string(),
  spec,
  status,
  createdAt: date,
  version: count,
  attempt: fc.nat(500),
  earlier: fc.array(
    fc.record({ state: state("completed", "stopped", "timeout", "lost"), reason, ...ran }, ENDED) as fc.Arbitrary<
      AttemptEnd
    >,
  ),
  scheduledBy: fc.constant(newJobId()),
  idempotencyKey: fc.string({ minLength: 1 }),
}, { requiredKeys: ["id", "owner", "spec", "status", "createdAt", "version", "attempt", "earlier"] });

Deno.test("decodeJob gives back any job that encodeJob was given", () => {
  fc.assert(fc.property(job, (job) => {
    // The clone has the usual prototypes, which those of generated records are not.
    assert.deepEqual(decodeJob(encodeJob(job)), structuredClone(job));
  }));
});

Deno.test("encodeJob refuses an invalid date instead of storing null", () => {
  assert.throws(() => encodeJob(someJob({ createdAt: new Date(NaN) })), /its 'createdAt' is an invalid date/);
  const status: JobStatus = { state: "running", startedAt: new Date(NaN) };
  assert.throws(() => encodeJob(someJob({ status })), RangeError);
});

Deno.test("decodeJob refuses an unknown state, a date that is none, and text that is no JSON", () => {
  const stored = encodeJob(someJob());
  for (
    const [status, message] of [
      ['{"state":"sleeping"}', /unknown state 'sleeping'/],
      ['{"state":"toString"}', /unknown state 'toString'/],
      ["{}", /unknown state 'undefined'/],
      ['{"state":"running","startedAt":"soon"}', /its 'startedAt' is no date but 'soon'/],
      ['{"state":"running","startedAt":5}', /its 'startedAt' is no date but '5'/],
      ["{", /JSON/],
    ] as const
  ) {
    assert.throws(
      () => decodeJob({ ...stored, status }),
      (error) => error instanceof SyntaxError && message.test(error.message),
    );
  }
});
