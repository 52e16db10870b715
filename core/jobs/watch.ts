import type { Job } from "./job.ts";
import { isTerminal } from "./job.ts";
import type { JobEvents } from "./job_events.ts";

/**
 * The job as it is, then after each change, in order; ends after a terminal state or when the signal aborts.
 * @param read the job's present state
 */
export async function* watchJob(
  id: string,
  read: () => Job,
  events: JobEvents,
  signal: AbortSignal,
): AsyncGenerator<Job> {
  const queue: Job[] = [];
  let wake: () => void = () => {};
  // Subscribed before the first look, so that no change between them is missed.
  using _subscription = events.subscribe(id, (job) => {
    queue.push(job);
    wake();
  });
  const onAbort = () => wake();
  signal.addEventListener("abort", onAbort);
  try {
    let last = read();
    yield last;
    while (!isTerminal(last.status.state) && !signal.aborted) {
      const next = queue.shift();
      if (next === undefined) {
        await new Promise<void>((resolve) => wake = resolve);
      } else if (next.version > last.version) {
        last = next;
        yield last;
      }
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
