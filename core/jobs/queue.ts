/**
 * Which waiting job is next: pure, without time and without effects.
 *
 * Order: higher priority first; within one, the owner with the fewest jobs running; within an owner, first come first
 * served. If the next job does not fit, the next owner's may start before it, but only so often: then all wait for it, so
 * that a large job is not starved by small ones.
 */
import { EngineError } from "../errors.ts";
import { formatBytes } from "../values/bytes.ts";
import { type DiskQuotas, DiskUse } from "./disk_quota.ts";
import type { Job } from "./job.ts";

export interface QueueLimits {
  /** Jobs that run at once. */
  readonly maxRunning: number;
  /** Jobs of one owner that run at once; absent: as many as of all. */
  readonly maxRunningPerOwner?: number;
  /** The same by owner, which wins. @default none */
  readonly maxRunningOf?: ReadonlyMap<string, number>;
  /** Sum of the CPU limits of running jobs, in percent of one core; absent: unlimited. */
  readonly cpuPercent?: number;
  /** Sum of the memory limits of running jobs, in bytes; absent: unlimited. */
  readonly memoryBytes?: number;
  /** Jobs that wait for their turn. */
  readonly maxWaiting: number;
  /** Jobs of one owner that wait for their turn or their time. */
  readonly maxWaitingPerOwner: number;
  /** The same by owner, which wins. @default none */
  readonly maxWaitingOf?: ReadonlyMap<string, number>;
  /** Sum of the disk limits of one owner's running jobs. @default unlimited */
  readonly disk?: DiskQuotas;
}

/** How often others may go before a job that does not fit. */
const MAX_OVERTAKEN = 32;

interface Need {
  readonly owner: string;
  readonly cpuPercent: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

interface Entry extends Need {
  readonly id: string;
  readonly priority: number;
  overtaken: number;
}

export class AdmissionQueue {
  readonly #limits: QueueLimits;
  /** Waiting jobs: by priority, then by owner, each in order. */
  readonly #waiting = new Map<number, Map<string, Map<string, Entry>>>();
  readonly #entries = new Map<string, Entry>();
  readonly #waitingOf = new Map<string, number>();
  /** Places kept for jobs that are being stored, by owner. */
  readonly #reservedBy = new Map<string, number>();
  /** Jobs that run or are being started. */
  readonly #running = new Map<string, Need>();
  readonly #runningOf = new Map<string, number>();
  #used: Pick<Need, "cpuPercent" | "memoryBytes"> = { cpuPercent: 0, memoryBytes: 0 };
  readonly #disk: DiskUse;
  readonly #scheduledOf: (owner: string) => number;

  /** @param scheduledOf how many jobs of an owner wait for their time. @default none do */
  constructor(limits: QueueLimits, scheduledOf: (owner: string) => number = () => 0) {
    this.#limits = limits;
    this.#disk = new DiskUse(limits.disk);
    this.#scheduledOf = scheduledOf;
  }

  get waiting(): number {
    return this.#entries.size;
  }

  get running(): number {
    return this.#running.size;
  }

  /** Refuses a job that can never fit. @throws {EngineError} kind "precondition" */
  checkFits(limits: Job["spec"]["limits"], owner: string): void {
    this.#disk.checkFits(owner, limits.diskBytes);
    const { cpuPercent, memoryBytes } = this.#limits;
    if (cpuPercent !== undefined && (limits.cpuPercent ?? 0) > cpuPercent) {
      const wanted = `at most ${cpuPercent} % of a core is given to all jobs together`;
      throw new EngineError("precondition", `Cannot run a job with ${limits.cpuPercent} % of a core: ${wanted}`);
    }
    if (memoryBytes !== undefined && (limits.memoryBytes ?? 0) > memoryBytes) {
      const wanted = `at most ${formatBytes(memoryBytes)} are given to all jobs together`;
      throw new EngineError(
        "precondition",
        `Cannot run a job with ${formatBytes(limits.memoryBytes ?? 0)} of memory: ${wanted}`,
      );
    }
  }

  /** Refuses one more waiting job where too many wait. @throws {EngineError} kind "exhausted" */
  checkRoom(owner: string): void {
    const { maxWaiting } = this.#limits;
    if (this.#entries.size >= maxWaiting) {
      throw new EngineError("exhausted", `Cannot queue another job: ${maxWaiting} wait already; try again later`);
    }
    this.#checkOwnRoom(owner);
  }

  /**
   * Keeps a place for a job that is being stored, until disposed of: many at once must not pass the check before any of
   * them is counted. @throws {EngineError} kind "exhausted"
   */
  reserve(owner: string, until: "turn" | "time"): Disposable {
    if (until === "turn") this.checkRoom(owner);
    else this.#checkOwnRoom(owner);
    this.#reservedBy.set(owner, (this.#reservedBy.get(owner) ?? 0) + 1);
    return { [Symbol.dispose]: () => decrement(this.#reservedBy, owner) };
  }

  #checkOwnRoom(owner: string): void {
    const { maxWaitingOf, maxWaitingPerOwner } = this.#limits;
    const most = maxWaitingOf?.get(owner) ?? maxWaitingPerOwner;
    const waiting = (this.#waitingOf.get(owner) ?? 0) + this.#scheduledOf(owner) + (this.#reservedBy.get(owner) ?? 0);
    if (waiting < most) return;
    throw new EngineError(
      "exhausted",
      `Cannot queue another job of '${owner}': ${most} wait already, as many as may; try again later`,
    );
  }

  /** Counts a new job as running if nobody waits before it and it fits. @returns whether it may start */
  tryAdmit(job: Job): boolean {
    if (this.#someoneWaits(job.owner) || this.#obstacle(this.#needOf(job)) !== undefined) return false;
    this.occupy(job);
    return true;
  }

  /** Lets a job wait. */
  add(job: Job): void {
    const { id, owner, spec: { priority } } = job;
    const entry: Entry = { id, priority, ...this.#needOf(job), overtaken: 0 };
    this.#entries.set(id, entry);
    const owners = this.#waiting.get(priority) ?? new Map<string, Map<string, Entry>>();
    this.#waiting.set(priority, owners);
    const line = owners.get(owner) ?? new Map<string, Entry>();
    owners.set(owner, line);
    line.set(id, entry);
    this.#waitingOf.set(owner, (this.#waitingOf.get(owner) ?? 0) + 1);
  }

  /** Takes a job out of the line. @returns whether it was in it */
  remove(id: string): boolean {
    const entry = this.#entries.get(id);
    if (!entry) return false;
    this.#entries.delete(id);
    const owners = this.#waiting.get(entry.priority);
    const line = owners?.get(entry.owner);
    line?.delete(id);
    if (line?.size === 0) owners?.delete(entry.owner);
    if (owners?.size === 0) this.#waiting.delete(entry.priority);
    decrement(this.#waitingOf, entry.owner);
    return true;
  }

  /** Takes the job that may start now out of the line. The caller then counts it with `occupy`. */
  next(): string | undefined {
    const passed: Entry[] = [];
    const held = new Set<string>();
    for (const priority of [...this.#waiting.keys()].sort((a, b) => b - a)) {
      for (const entry of this.#heads(priority)) {
        // Only its own owner's jobs can make room for it, so nobody else waits for it; that owner's other jobs do.
        if (held.has(entry.owner)) continue;
        if (this.#ownObstacle(entry) !== undefined) {
          held.add(entry.owner);
          continue;
        }
        if (this.#obstacle(entry) === undefined) {
          for (const other of passed) other.overtaken++;
          this.remove(entry.id);
          this.#toTheEnd(entry);
          return entry.id;
        }
        if (entry.overtaken >= MAX_OVERTAKEN) return undefined;
        passed.push(entry);
      }
    }
    return undefined;
  }

  /** The owner has had a turn: among owners with as many running, all others come first now. */
  #toTheEnd({ priority, owner }: Entry): void {
    const owners = this.#waiting.get(priority);
    const line = owners?.get(owner);
    if (!owners || !line) return;
    owners.delete(owner);
    owners.set(owner, line);
  }

  /** The first job of each owner, the owner with the fewest running first; among equals the one who waited longest. */
  #heads(priority: number): Entry[] {
    const heads: Entry[] = [];
    for (const line of this.#waiting.get(priority)?.values() ?? []) {
      const head = line.values().next().value;
      if (head) heads.push(head);
    }
    const busy = ({ owner }: Entry) => this.#runningOf.get(owner) ?? 0;
    return heads.sort((a, b) => busy(a) - busy(b));
  }

  /** Counts a job as running. */
  occupy(job: Job): void {
    if (this.#running.has(job.id)) return;
    const need = this.#needOf(job);
    this.#running.set(job.id, need);
    this.#disk.add(need.owner, need.diskBytes);
    this.#runningOf.set(job.owner, (this.#runningOf.get(job.owner) ?? 0) + 1);
    this.#used = {
      cpuPercent: this.#used.cpuPercent + need.cpuPercent,
      memoryBytes: this.#used.memoryBytes + need.memoryBytes,
    };
  }

  /** Counts a job as running no more. */
  release(id: string): void {
    const need = this.#running.get(id);
    if (!need) return;
    this.#running.delete(id);
    decrement(this.#runningOf, need.owner);
    this.#disk.add(need.owner, -need.diskBytes);
    this.#used = {
      cpuPercent: this.#used.cpuPercent - need.cpuPercent,
      memoryBytes: this.#used.memoryBytes - need.memoryBytes,
    };
  }

  /** Why a job waits, in words; undefined if it does not. */
  reason(id: string): string | undefined {
    const entry = this.#entries.get(id);
    return entry && (this.#obstacle(entry) ?? "its turn: jobs before it start first");
  }

  /** A job without a limit counts as none: the configuration's default limits make every job count. */
  #needOf({ owner, spec: { limits } }: Job): Need {
    const { cpuPercent = 0, memoryBytes = 0 } = limits;
    return { owner, cpuPercent, memoryBytes, diskBytes: this.#disk.need(limits.diskBytes) };
  }

  /** Whether this owner has a job that waits, or another one has one that waits for more than a job of its own to end. */
  #someoneWaits(owner: string): boolean {
    for (const other of this.#waitingOf.keys()) {
      if (other === owner) return true;
      const first = this.#isFull(other) ? undefined : this.#firstOf(other);
      if (first && this.#ownObstacle(first) === undefined) return true;
    }
    return false;
  }

  /** The job of an owner that is next, if it is up to this owner. */
  #firstOf(owner: string): Entry | undefined {
    for (const priority of [...this.#waiting.keys()].sort((a, b) => b - a)) {
      const first = this.#waiting.get(priority)?.get(owner)?.values().next().value;
      if (first) return first;
    }
    return undefined;
  }

  #maxRunningOf(owner: string): number {
    const { maxRunningOf, maxRunningPerOwner, maxRunning } = this.#limits;
    return maxRunningOf?.get(owner) ?? maxRunningPerOwner ?? maxRunning;
  }

  /** Whether as many jobs of an owner run as may. */
  #isFull(owner: string): boolean {
    return (this.#runningOf.get(owner) ?? 0) >= this.#maxRunningOf(owner);
  }

  /** What only an end of another job of the same owner changes. */
  #ownObstacle({ owner, diskBytes }: Need): string | undefined {
    if (this.#isFull(owner)) {
      return `a free place of its user: ${this.#maxRunningOf(owner)} jobs of '${owner}' run, as many as may`;
    }
    return this.#disk.obstacle(owner, diskBytes);
  }

  #obstacle(need: Need): string | undefined {
    const { maxRunning, cpuPercent, memoryBytes } = this.#limits;
    if (this.#running.size >= maxRunning) return `a free place: ${maxRunning} jobs run, as many as may`;
    const own = this.#ownObstacle(need);
    if (own !== undefined) return own;
    if (cpuPercent !== undefined && this.#used.cpuPercent + need.cpuPercent > cpuPercent) {
      return `CPU: it wants ${need.cpuPercent} % of a core, ${
        cpuPercent - this.#used.cpuPercent
      } of ${cpuPercent} % are free`;
    }
    if (memoryBytes !== undefined && this.#used.memoryBytes + need.memoryBytes > memoryBytes) {
      const free = formatBytes(memoryBytes - this.#used.memoryBytes);
      return `memory: it wants ${formatBytes(need.memoryBytes)}, ${free} of ${formatBytes(memoryBytes)} are free`;
    }
    return undefined;
  }
}

function decrement(counts: Map<string, number>, key: string): void {
  const count = (counts.get(key) ?? 0) - 1;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
