/**
 * User namespaces for jobs. Each maps a range of ids that no other running job has; one is kept with its range and used by
 * one job at a time, as making it takes a process: no process of an earlier job is left in it.
 *
 * A job's other namespaces belong to the host's user namespace, not to this one: even a program that became all-powerful in
 * its user namespace would have no power over its mounts, its network or its host name.
 */
import { closeFd, constants as c, type Poller } from "../../ffi/mod.ts";
import { runSideProcess } from "./side_process.ts";
import { type IdRange, type IdRanges, RANGE_IDS } from "./id_ranges.ts";

const OPEN = "open the user namespace";

/** A range with its namespace, for one job. */
export interface JobIdentity {
  readonly range: IdRange;
  /** fd of the user namespace; stays the pool's. */
  readonly usersFd: number;
}

export class UserNamespaces implements Disposable {
  readonly #poller: Poller;
  readonly #cgroupFd: number;
  readonly #ranges: IdRanges;
  readonly #fds = new Map<number, number>();

  /** @param cgroupFd cgroup folder that the children are born in; stays the caller's */
  constructor(poller: Poller, cgroupFd: number, ranges: IdRanges) {
    this.#poller = poller;
    this.#cgroupFd = cgroupFd;
    this.#ranges = ranges;
  }

  /** An identity that no running job has. @throws {EngineError} kind "exhausted" if there is none, "precondition" */
  async take(): Promise<JobIdentity> {
    const range = this.#ranges.take();
    const { first } = range;
    try {
      const usersFd = this.#fds.get(first) ?? await this.#make(first);
      this.#fds.set(first, usersFd);
      return { range, usersFd };
    } catch (error) {
      this.#ranges.give(range.index);
      throw error;
    }
  }

  /** Nothing of the job that had it is left. */
  give({ range }: Pick<JobIdentity, "range">): void {
    this.#ranges.give(range.index);
  }

  /** @param first the range's first id */
  async #make(first: number): Promise<number> {
    const steps = [
      { name: OPEN, call: "openat", args: [c.AT_FDCWD, "/proc/self/ns/user", c.O_RDONLY | c.O_CLOEXEC, 0] },
    ] as const;
    const whenEnded = (pid: number) => {
      for (const file of ["uid_map", "gid_map"]) {
        Deno.writeTextFileSync(`/proc/${pid}/${file}`, `0 ${first} ${RANGE_IDS}\n`, { create: false });
      }
    };
    const side = { steps, opens: OPEN, namespaces: c.CLONE_NEWUSER, whenEnded };
    const [fd] = await runSideProcess(this.#poller, this.#cgroupFd, side);
    return fd!;
  }

  [Symbol.dispose](): void {
    this.#fds.forEach(closeFd);
    this.#fds.clear();
  }
}
