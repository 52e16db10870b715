import { wholeDiskOf } from "../cgroup/io_device.ts";
import { limitWrites } from "../cgroup/limits.ts";
import { journalPath } from "../logs/journal_file.ts";
import { makePlan } from "../sandbox/plan.ts";
import { describeCall, type Step } from "../sandbox/step.ts";
import { describeNamespaces } from "../sandbox/namespaces.ts";
import type { PlanLine } from "./engine.ts";
import type { EngineParts } from "./parts.ts";
import type { JobSpec } from "./spec.ts";

/** A job's start for people to read, from the same plan that is launched. */
export function describePlan(parts: EngineParts, spec: JobSpec, jobId: string): PlanLine[] {
  const plan = makePlan(spec, jobId, parts.host);
  const cgroup = parts.tree.job(jobId).path;
  const device = spec.limits.ioBytesPerSecond === undefined ? undefined : wholeDiskOf(parts.config.home.root);
  const server = (name: string, detail: string): PlanLine => ({ actor: "server", name, detail });
  const steps = (actor: "init" | "program", list: readonly Step[]) =>
    list.map((step): PlanLine => ({ actor, name: step.name, detail: describeCall(step) }));
  return [
    server("create the journal", journalPath(parts.config.home, jobId)),
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
