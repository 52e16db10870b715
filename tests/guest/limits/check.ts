import type { Lab, LiveJob } from "../../probes/lab.ts";
import type { ProbeJob } from "../../probes/probe.ts";

/** One limit that must hold. */
export interface LimitCheck {
  readonly name: string;
  readonly title: string;
  /** @returns the figure that was measured. @throws {AssertionError} if it is out of bounds */
  readonly run: (lab: Lab) => Promise<string>;
}

export const MIB = 1024 * 1024;

/** Looks at jobs that run, each once it has printed "up", and kills them then. */
export async function whileRunning<T>(
  lab: Lab,
  jobs: readonly ProbeJob[],
  look: (lives: readonly LiveJob[]) => Promise<T> | T,
): Promise<T> {
  const ids: string[] = [];
  try {
    for (const job of jobs) ids.push((await lab.start(job)).id);
    const lives = ids.map((id) => lab.live(id));
    for (const live of lives) await live.mustSay("up\n");
    return await look(lives);
  } finally {
    for (const id of ids) await lab.engine.stop(id, { signal: "SIGKILL" });
  }
}
