import { wholeDiskOf } from "../cgroup/io_device.ts";
import { limitWrites } from "../cgroup/limits.ts";
import { makePlan } from "../sandbox/plan.ts";
import { describeCall, type Step } from "../sandbox/step.ts";
import { describeNamespaces } from "../sandbox/namespaces.ts";
import type { PlanLine } from "../jobs/engine.ts";
import type { JobSpec } from "../jobs/spec.ts";
import type { RunParts } from "./parts.ts";

/** A job's start for people to read, from the same plan that is launched. */
export function describePlan(parts: RunParts, spec: JobSpec, jobId: string): PlanLine[] {
  const plan = makePlan(spec, jobId, parts.host);
  const cgroup = parts.tree.job(jobId).path;
  const device = spec.limits.ioBytesPerSecond === undefined ? undefined : wholeDiskOf(parts.diskFolder);
  const server = (name: string, detail: string): PlanLine => ({ actor: "server", name, detail });
  const steps = (actor: "init" | "program", list: readonly Step[]) =>
    list.map((step): PlanLine => ({ actor, name: step.name, detail: describeCall(step) }));
  return [
    server("create the journal", parts.logs.describe({ id: jobId, attempt: 1 })),
    server("create the job's cgroup", cgroup),
    ...limitWrites(spec.limits, device).map(({ file, value }) =>
      server(`limit ${file}`, `${value} > ${cgroup}/${file}`)
    ),
    server("start init in a new PID namespace", `clone3(${describeNamespaces(plan.namespaces)})`),
    ...steps("init", plan.init),
    { actor: "init", name: "fork the program into the job's cgroup", detail: `clone3(CLONE_INTO_CGROUP ${cgroup})` },
    ...steps("program", plan.program),
  ];
}
