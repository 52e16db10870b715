/**
 * After a start of the server: takes over the jobs that an earlier one left, whatever way it ended.
 *
 *   scheduled            gets its alarm back
 *   pending              gets back into the line
 *   initializing         its run goes on; else what its output tells; else, if it never began, it begins anew
 *   running, stopping    its run goes on; else what its output tells; else it is lost
 *
 * Runs that go on are looked up before output is read, as one may end meanwhile.
 */
import type { Clock } from "../schedule/clock.ts";
import type { JobStore } from "../state/store.ts";
import type { JobChanges } from "./changes.ts";
import { isWaiting, type Job, transition } from "./job.ts";
import type { RunEnd } from "./outcome.ts";
import type { AdmissionQueue } from "./queue.ts";
import type { Run, Runner } from "./runner.ts";
import type { Supervisor } from "./supervisor.ts";

const BOOT_NOTE = "boot_id";

export interface RecoverParts {
  readonly store: JobStore;
  readonly changes: JobChanges;
  readonly clock: Clock;
  readonly queue: AdmissionQueue;
  readonly runner: Runner;
  readonly supervisor: Supervisor;
  /** Id of the host's present boot. */
  readonly bootId: string;
  readonly onError: (what: string, error: unknown) => void;
}

/** @returns the jobs that wait, oldest first */
export async function recoverJobs(parts: RecoverParts): Promise<readonly Job[]> {
  const { store, runner, bootId } = parts;
  const runs = new Map(await runner.adopt());
  const rebooted = ![bootId, undefined].includes(store.getNote(BOOT_NOTE));
  const begun = store.live().filter((job) => !isWaiting(job));
  const adopted = new Set<string>();
  await Promise.all(begun.map(async (job) => {
    const run = runs.get(job.id);
    runs.delete(job.id);
    if (!run) return await endAbsent(parts, job, rebooted);
    adopted.add(job.id);
    await resume(parts, job, run);
  }));
  await Promise.all([...runs].map(async ([id, run]) => {
    parts.onError(`keep the unknown job ${id}; it is ended`, new Error("its init belongs to no job that runs"));
    run.stop("SIGKILL", 0);
    await run.ended;
  }));
  await runner.removeLeftovers(adopted);
  await store.setNote(BOOT_NOTE, bootId);
  return store.live().filter(isWaiting);
}

async function resume(parts: RecoverParts, job: Job, run: Run): Promise<void> {
  const { changes, clock, queue, supervisor } = parts;
  queue.occupy(job);
  // The earlier server may have ended between the start of the program and the note of it.
  if (job.status.state === "initializing") {
    await changes.settle(job.id, (now) => transition(now, { state: "running", startedAt: new Date(clock.now()) }));
  }
  supervisor.follow(job.id, run);
  if (job.status.state !== "stopping") return;
  const { signal, killAt } = job.status;
  // Not awaited: the end is stored when it comes.
  supervisor.stop(job.id, signal, Math.max(0, killAt.getTime() - clock.now()));
}

async function endAbsent(parts: RecoverParts, job: Job, rebooted: boolean): Promise<void> {
  const { runner, changes, clock, supervisor } = parts;
  let end = await runner.lookBack(job);
  if (!end && job.status.state === "initializing" && !rebooted) {
    // It was accepted and has not begun: it is as good as waiting.
    await changes.settle(job.id, (now) => transition(now, { state: "pending" }));
    return;
  }
  // After a power cut the output of a program that did run may be gone: whether it ran is not known.
  end ??= unseen(clock.now());
  await supervisor.conclude(job.id, end, rebooted ? "the host was restarted" : "its init was killed");
}

function unseen(nowMs: number): RunEnd {
  const nothing = { timedOut: false, signalPassedOn: false, oomKilled: false };
  return { exit: undefined, ...nothing, endedAt: new Date(nowMs) };
}
