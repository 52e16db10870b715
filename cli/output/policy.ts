/** Names of policies, as they are typed and shown. */
import { type JobSpec, MisfirePolicy, OverlapPolicy, RetryOn } from "../../proto/gen/joblet/v1/job_pb.ts";

export const RETRY_ON: Readonly<Record<string, RetryOn>> = {
  exit: RetryOn.EXIT,
  signal: RetryOn.SIGNAL,
  oom: RetryOn.OUT_OF_MEMORY,
  lost: RetryOn.LOST,
  timeout: RetryOn.TIMEOUT,
};

export const MISFIRE: Readonly<Record<string, MisfirePolicy>> = {
  "run-once": MisfirePolicy.RUN_ONCE,
  skip: MisfirePolicy.SKIP,
};

export const OVERLAP: Readonly<Record<string, OverlapPolicy>> = {
  allow: OverlapPolicy.ALLOW,
  skip: OverlapPolicy.SKIP,
  replace: OverlapPolicy.REPLACE,
};

/** The name in such a table; of 0 the default's, of what this client does not know the number. */
export function policyName(names: Readonly<Record<string, number>>, value: number): string {
  const found = Object.entries(names).find(([, number]) => number === (value || 1));
  return found?.[0] ?? `unknown(${value})`;
}

/** The value of a name. @throws {RangeError} with the names there are */
export function parsePolicy<T extends number>(flag: string, names: Readonly<Record<string, T>>, text: string): T {
  const value = Object.hasOwn(names, text) ? names[text] : undefined;
  if (value === undefined) {
    throw new RangeError(`Cannot use ${flag} '${text}': it must be one of ${Object.keys(names).join(", ")}`);
  }
  return value;
}

/** Whether a spec asks for run after run: by a cron expression or a name such as "@daily". */
export function isRecurring(spec: JobSpec | undefined): boolean {
  const when = spec?.schedule?.when.trim() ?? "";
  return when.startsWith("@") || when.split(/\s+/).length >= 5;
}
