/** Switches defences off: changes of plans and limits that throw if there was nothing to change. */
import type { LimitWrite } from "../../core/cgroup/limits.ts";
import type { Alterations } from "../../core/run/parts.ts";
import type { Plan } from "../../core/sandbox/plan.ts";
import type { Step } from "../../core/sandbox/step.ts";

/** A change that found nothing to change: the step was renamed, so the twin would prove nothing. */
export class NothingAlteredError extends Error {
  override readonly name = "NothingAlteredError";
}

type PlanChange = (plan: Plan) => Plan;

function edit(name: RegExp, change: (step: Step) => readonly Step[]): PlanChange {
  return (plan) => {
    let found = 0;
    const edited = (steps: readonly Step[]) =>
      steps.flatMap((step) => {
        if (!name.test(step.name)) return [step];
        found++;
        return change(step);
      });
    const result = { ...plan, init: edited(plan.init), program: edited(plan.program) };
    if (found === 0) throw new NothingAlteredError(`No step of a job's start is named like ${name}`);
    return result;
  };
}

/** Leaves out the steps with such names. */
export const dropped = (name: RegExp): PlanChange => edit(name, () => []);

/** Changes the arguments of the steps with such names. */
export function changed(name: RegExp, change: (args: Step["args"]) => Step["args"]): PlanChange {
  return edit(name, (step) => [{ ...step, args: change(step.args) }]);
}

/** Puts steps in front of those with such names. */
export const before = (name: RegExp, ...steps: Step[]): PlanChange => edit(name, (step) => [...steps, step]);

/** Puts steps in the place of those with such names. */
export const instead = (name: RegExp, ...steps: Step[]): PlanChange => edit(name, () => steps);

/** All of the changes, one after the other. */
export function plans(...changes: PlanChange[]): Alterations {
  return { plan: (plan) => changes.reduce((changing, change) => change(changing), plan) };
}

/** Leaves out one write into the job's cgroup, or writes another value. */
export function limit(file: string, value?: string): Alterations {
  return {
    limits: (writes) => {
      if (!writes.some((write) => write.file === file)) throw new NothingAlteredError(`Nothing is written to ${file}`);
      return writes.flatMap((write): LimitWrite[] => {
        if (write.file !== file) return [write];
        return value === undefined ? [] : [{ ...write, value }];
      });
    },
  };
}
