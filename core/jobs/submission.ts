/** Taking a job: check, store, and start it or let it wait. */
import { EngineError } from "../errors.ts";
import type { Clock } from "../schedule/clock.ts";
import type { Timetable } from "../schedule/timetable.ts";
import type { JobStore } from "../state/store.ts";
import { newJobId } from "../values/job_id.ts";
import type { JobChanges } from "./changes.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { firstMoment } from "./due_jobs.ts";
import type { RunOptions } from "./engine.ts";
import type { Job, JobStatus } from "./job.ts";
import { applyPolicy, type LimitPolicies, policyOf } from "./limit_policy.ts";
import type { AdmissionQueue } from "./queue.ts";
import type { Runner } from "./runner.ts";
import type { JobSpec, JobSpecInput } from "./spec.ts";
import { checkKey, parseSpec } from "./validate.ts";

export interface SubmissionParts {
  readonly store: JobStore;
  readonly changes: JobChanges;
  readonly queue: AdmissionQueue;
  readonly dispatcher: Dispatcher;
  readonly timetable: Timetable;
  readonly runner: Runner;
  readonly clock: Clock;
  readonly limits: LimitPolicies;
  /** Most jobs that wait for their time. */
  readonly maxScheduled: number;
  /** Refuses new jobs where the disk is nearly full. @throws {EngineError} kind "exhausted" */
  readonly checkSpace: () => void;
}

export class Submission {
  readonly #parts: SubmissionParts;
  /** Inserts under way of jobs with an idempotency key: a second request is answered when the first is durable. */
  readonly #underWay = new Map<string, Promise<Job>>();

  constructor(parts: SubmissionParts) {
    this.#parts = parts;
  }

  /** A spec that this host can run, with the limits that hold. @throws {EngineError} */
  check(input: JobSpecInput, owner: string): JobSpec {
    const { runner, queue, limits: policies } = this.#parts;
    const asked = parseSpec(input);
    const builtIn = runner.supports(policies.builtIn) ? policies.builtIn : {};
    const limits = applyPolicy(asked.limits, policyOf(policies, owner), builtIn);
    const spec = { ...asked, limits };
    runner.check(spec, owner, asked.limits);
    queue.checkFits(limits);
    return spec;
  }

  /** See Engine.run. */
  async submit(input: JobSpecInput, owner: string, options: RunOptions): Promise<Job> {
    const key = checkKey(options.idempotencyKey);
    const spec = this.check(input, owner);
    if (key === undefined) return await this.#insert(spec, owner);
    const slot = `${owner}\n${key}`;
    const earlier = this.#findEarlier(owner, key, spec, slot);
    if (earlier) return await earlier;
    const submitted = this.#insert(spec, owner, key);
    this.#underWay.set(slot, submitted);
    try {
      return await submitted;
    } finally {
      this.#underWay.delete(slot);
    }
  }

  /** The job that an earlier request with this key made. @throws {EngineError} kind "precondition" if it was another spec */
  #findEarlier(owner: string, key: string, spec: JobSpec, slot: string): Promise<Job> | undefined {
    const { store, dispatcher } = this.#parts;
    const job = store.findByKey(owner, key);
    if (!job) return undefined;
    if (JSON.stringify(job.spec) !== JSON.stringify(spec)) {
      throw new EngineError(
        "precondition",
        `Cannot use idempotency key '${key}' again: it made another job, ${job.id}`,
      );
    }
    return this.#underWay.get(slot) ?? dispatcher.started(job.id).then(() => store.get(job.id) ?? job);
  }

  async #insert(spec: JobSpec, owner: string, key?: string): Promise<Job> {
    const { checkSpace, timetable, changes, maxScheduled, dispatcher } = this.#parts;
    checkSpace();
    const job = this.#newJob(spec, owner, key);
    if (job.status.state !== "scheduled") return await dispatcher.submit(job);
    if (timetable.size >= maxScheduled) {
      throw new EngineError("exhausted", "Cannot schedule another job: too many are scheduled; cancel some");
    }
    await changes.insert(job);
    timetable.set(job.id, job.status.at.getTime());
    return job;
  }

  #newJob(spec: JobSpec, owner: string, idempotencyKey: string | undefined): Job {
    const now = this.#parts.clock.now();
    const status: JobStatus = spec.schedule
      ? { state: "scheduled", at: firstMoment(spec.schedule, now) }
      : { state: "pending" };
    return {
      id: newJobId(),
      owner,
      spec,
      status,
      createdAt: new Date(now),
      version: 1,
      attempt: 1,
      earlier: [],
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    };
  }
}
