import { EngineError } from "../errors.ts";
import type { JobQuery } from "../jobs/engine.ts";
import { isJobId } from "../values/job_id.ts";

const DEFAULT_PAGE_SIZE = 100;
const MAX_PAGE_SIZE = 1000;

/** The last job of a page: the next page begins after it, whatever was added or deleted meanwhile. */
export interface PagePosition {
  readonly createdAtMs: number;
  readonly id: string;
}

/** The page that a query asks for. */
export interface PageRequest {
  readonly size: number;
  /** Absent: the first page. */
  readonly after?: PagePosition;
}

/** Reads size and token of a query. @throws {EngineError} kind "invalid" */
export function pageRequest(query: JobQuery): PageRequest {
  const size = query.pageSize ?? DEFAULT_PAGE_SIZE;
  if (!Number.isInteger(size) || size < 1 || size > MAX_PAGE_SIZE) {
    throw new EngineError("invalid", `Cannot list jobs with page size '${size}': it must be from 1 to ${MAX_PAGE_SIZE}`);
  }
  if (query.pageToken === undefined) return { size };
  const [, createdAtMs, id] = /^(-?\d{1,16})\.(.{36})$/.exec(query.pageToken) ?? [];
  if (createdAtMs === undefined || id === undefined || !isJobId(id)) {
    const wanted = "it must be the next page token of an earlier page";
    throw new EngineError("invalid", `Cannot list jobs from page token '${query.pageToken}': ${wanted}`);
  }
  return { size, after: { createdAtMs: Number(createdAtMs), id } };
}

/** The token of the page after this position. */
export function pageToken(last: PagePosition): string {
  return `${last.createdAtMs}.${last.id}`;
}
