import { EngineError } from "../errors.ts";

/** The last job of a page; the next page goes on behind it. */
export interface PagePosition {
  readonly createdMs: number;
  readonly id: string;
}

const DEFAULT_PAGE_SIZE = 100;
const MAX_PAGE_SIZE = 1000;

export function formatPageToken({ createdMs, id }: PagePosition): string {
  return `${createdMs}.${id}`;
}

/** @throws {EngineError} kind "invalid" */
export function parsePageToken(token: string): PagePosition {
  const match = /^(\d{1,16})\.([0-9a-f-]{1,36})$/.exec(token);
  if (!match) throw new EngineError("invalid", "Cannot use page_token: it must come from the page before");
  return { createdMs: Number(match[1]), id: match[2]! };
}

/** @throws {EngineError} kind "invalid" */
export function pageSizeOf(size: number | undefined): number {
  if (size === undefined) return DEFAULT_PAGE_SIZE;
  if (Number.isInteger(size) && size >= 1 && size <= MAX_PAGE_SIZE) return size;
  throw new EngineError("invalid", `Cannot use page size ${size}: it must be 1 to ${MAX_PAGE_SIZE}`);
}
