/** From a request to the job that it names, if the caller may have it. */
import type { HandlerContext } from "@connectrpc/connect";
import { EngineError } from "../../core/errors.ts";
import type { Engine } from "../../core/jobs/engine.ts";
import type { Job } from "../../core/jobs/job.ts";
import { callerOf, setAuditObject } from "../auth/context.ts";
import { changeable, readable } from "../auth/policy.ts";

/** @param field what the request calls the id @throws {EngineError} kind "invalid", "not_found" or "forbidden" */
export function jobToRead(engine: Engine, ref: string, { values }: HandlerContext, field = "id"): Job {
  return readable(callerOf(values), engine.get(given(ref, field)));
}

/** @param field what the request calls the id @throws {EngineError} kind "invalid", "not_found" or "forbidden" */
export function jobToChange(engine: Engine, ref: string, { values }: HandlerContext, field = "id"): Job {
  const job = changeable(callerOf(values), engine.get(given(ref, field)));
  setAuditObject(values, job.id);
  return job;
}

function given(ref: string, field: string): string {
  if (ref !== "") return ref;
  throw new EngineError("invalid", `Cannot look up a job without an id: the field '${field}' must be set`);
}
