/** Jobs for tests. */
import { newJobId } from "../values/job_id.ts";
import type { Job } from "./job.ts";
import type { JobSpec } from "./spec.ts";

export function someSpec(fields: Partial<JobSpec> = {}): JobSpec {
  const base = { command: "x", args: ["a b", ""], name: "", env: { A: "é" }, workdir: "/work" };
  return { ...base, network: "none", limits: {}, labels: {}, priority: 0, ...fields };
}

export interface SomeJob extends Partial<Omit<Job, "spec">> {
  readonly name?: string;
  readonly spec?: Partial<JobSpec>;
}

export function someJob(fields: SomeJob = {}): Job {
  const { name = "", spec = {}, ...rest } = fields;
  return {
    id: newJobId(),
    owner: "ann",
    spec: someSpec({ name, ...spec }),
    createdAt: new Date(1_700_000_000_123),
    version: 1,
    attempt: 1,
    earlier: [],
    status: { state: "initializing" },
    ...rest,
  };
}
