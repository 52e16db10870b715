import { makePlan, ownSteps, profileOf } from "../sandbox/plan.ts";
import { rootSteps } from "../sandbox/root_steps.ts";
import { describeCall, type Step } from "../sandbox/step.ts";
import { describeNamespaces } from "../sandbox/namespaces.ts";
import type { PlanLine } from "../jobs/engine.ts";
import { hideSecrets, type PlainSecrets } from "../jobs/secrets.ts";
import type { JobSpec } from "../jobs/spec.ts";
import { jobWrites } from "./host_limits.ts";
import type { RunParts } from "./parts.ts";

/** Whose start it is. */
export interface PlannedJob {
  readonly id: string;
  readonly owner: string;
  readonly spec: JobSpec;
  readonly secrets: PlainSecrets;
}

/** A job's start for people to read, from the same plan that is launched but for what is secret. */
export function describePlan(parts: RunParts, job: PlannedJob): PlanLine[] {
  const { id: jobId, owner, spec } = job;
  const plan = makePlan(spec, jobId, parts.host, { secrets: hideSecrets(job.secrets) });
  const cgroup = parts.tree.job(jobId, owner).path;
  const server = (name: string, detail: string): PlanLine => ({ actor: "server", name, detail });
  const steps = (actor: PlanLine["actor"], list: readonly Step[]) =>
    list.map((step): PlanLine => ({ actor, name: step.name, detail: describeCall(step) }));
  const { summary } = profileOf(spec, parts.host);
  return [
    ...steps("root", rootSteps(parts.rootOptions)),
    server("create the journal", parts.logs.describe({ id: jobId, attempt: 1 })),
    server("create the job's cgroup", cgroup),
    ...jobWrites(parts, spec.limits, owner).map(({ file, value }) =>
      server(`limit ${file}`, `${value} > ${cgroup}/${file}`)
    ),
    server("start init in a new PID namespace", `clone3(${describeNamespaces(plan.namespaces)})`),
    ...steps("init", ownSteps(plan, 0, false)),
    { actor: "init", name: "fork the program into the job's cgroup", detail: `clone3(CLONE_INTO_CGROUP ${cgroup})` },
    ...steps("program", plan.program),
    ...summary.map((detail): PlanLine => ({ actor: "program", name: "what the filter does", detail })),
  ];
}
