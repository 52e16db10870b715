/** Taking a job: check, store, and start it or let it wait. */
import { EngineError } from "../errors.ts";
import type { Clock } from "../schedule/clock.ts";
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
import { type PlainSecrets, sameSecrets, type SecretBox } from "./secrets.ts";
import type { ScheduledJobs } from "./scheduled_jobs.ts";
import type { JobSpec, JobSpecInput } from "./spec.ts";
import { checkKey, parseSpec } from "./validate.ts";
import { parseSecrets } from "./validate_env.ts";

export interface SubmissionParts {
  readonly store: JobStore;
  readonly changes: JobChanges;
  readonly queue: AdmissionQueue;
  readonly dispatcher: Dispatcher;
  readonly scheduled: ScheduledJobs;
  readonly runner: Runner;
  readonly clock: Clock;
  readonly limits: LimitPolicies;
  readonly secrets: SecretBox;
  /** Most jobs that wait for their time. */
  readonly maxScheduled: number;
  /** Refuses new jobs where the disk is nearly full. @throws {EngineError} kind "exhausted" */
  readonly checkSpace: () => void;
}

/** What was asked for, checked. */
export interface Request {
  /** Without its secrets. */
  readonly spec: JobSpec;
  readonly secrets: PlainSecrets;
}

export class Submission {
  readonly #parts: SubmissionParts;
  /** Inserts under way of jobs with an idempotency key: a second request is answered when the first is durable. */
  readonly #underWay = new Map<string, Promise<Job>>();

  constructor(parts: SubmissionParts) {
    this.#parts = parts;
  }

  /** A spec that this host can run, with the limits that hold. @throws {EngineError} */
  check(input: JobSpecInput, owner: string): Request {
    const { runner, queue, limits: policies } = this.#parts;
    const asked = parseSpec(input);
    const builtIn = runner.supports(policies.builtIn) ? policies.builtIn : {};
    const limits = applyPolicy(asked.limits, policyOf(policies, owner), builtIn);
    const spec = { ...asked, limits };
    runner.check(spec, owner, asked.limits);
    queue.checkFits(limits, owner);
    return { spec, secrets: parseSecrets(input) };
  }

  /** See Engine.run. */
  async submit(input: JobSpecInput, owner: string, options: RunOptions): Promise<Job> {
    const key = checkKey(options.idempotencyKey);
    const request = this.check(input, owner);
    if (key === undefined) return await this.#insert(request, owner);
    const slot = `${owner}\n${key}`;
    const earlier = this.#findEarlier(owner, key, request, slot);
    if (earlier) return await earlier;
    const submitted = this.#insert(request, owner, key);
    this.#underWay.set(slot, submitted);
    try {
      return await submitted;
    } finally {
      this.#underWay.delete(slot);
    }
  }

  /** The job that an earlier request with this key made. @throws {EngineError} kind "precondition" if it was another spec */
  #findEarlier(owner: string, key: string, request: Request, slot: string): Promise<Job> | undefined {
    const { store, dispatcher } = this.#parts;
    const job = store.findByKey(owner, key);
    if (!job) return undefined;
    if (!this.#isSame(job, request)) {
      throw new EngineError(
        "precondition",
        `Cannot use idempotency key '${key}' again: it made another job, ${job.id}`,
      );
    }
    return this.#underWay.get(slot) ?? dispatcher.started(job.id).then(() => store.get(job.id) ?? job);
  }

  #isSame({ spec: stored, owner }: Job, { spec, secrets }: Request): boolean {
    // Sealed twice, one value looks different each time.
    const { secretEnv = {}, secretFiles = {}, ...open } = stored;
    return JSON.stringify(open) === JSON.stringify(spec) &&
      sameSecrets(this.#parts.secrets, { secretEnv, secretFiles }, owner, secrets);
  }

  async #insert(request: Request, owner: string, key?: string): Promise<Job> {
    const { checkSpace, scheduled, queue, changes, maxScheduled, dispatcher } = this.#parts;
    checkSpace();
    const job = this.#newJob(request, owner, key);
    if (job.status.state !== "scheduled") return await dispatcher.submit(job);
    if (scheduled.size >= maxScheduled) {
      throw new EngineError("exhausted", "Cannot schedule another job: too many are scheduled; cancel some");
    }
    using _place = queue.reserve(owner, "time");
    await changes.insert(job);
    scheduled.set(job, job.status.at);
    return job;
  }

  #newJob({ spec, secrets }: Request, owner: string, idempotencyKey: string | undefined): Job {
    const now = this.#parts.clock.now();
    const status: JobStatus = spec.schedule
      ? { state: "scheduled", at: firstMoment(spec.schedule, now) }
      : { state: "pending" };
    return {
      id: newJobId(),
      owner,
      spec: { ...spec, ...this.#parts.secrets.seal(secrets, owner) },
      status,
      createdAt: new Date(now),
      version: 1,
      attempt: 1,
      earlier: [],
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    };
  }
}
