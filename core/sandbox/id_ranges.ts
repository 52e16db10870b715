/**
 * Ranges of user and group ids for jobs, shared among all servers of a host. A server claims ranges by the chunk: a locked
 * file each, with the cgroup of the server's jobs in it. A chunk whose lock is free may be taken over unless jobs run in that
 * cgroup, so jobs keep their ranges while no server runs.
 *
 * The ids lie above 2^31, where neither people's accounts, nor those of directories, nor other container runtimes are.
 */
import { EngineError } from "../errors.ts";

/** Ids that a job's user namespace maps. */
export const RANGE_IDS = 65_536;
/** The range and one id more: init's, which the job's user namespace does not map. The rest is left free. */
const STRIDE = 2 * RANGE_IDS;
const FIRST_ID = 2 ** 31;
const CHUNK = 64;
const CHUNKS = 128;

export interface IdRange {
  readonly index: number;
  /** Id of the host that is 0 in the job. */
  readonly first: number;
  /** Id of the job's init: no user of the job is that one. */
  readonly initId: number;
}

export function idRange(index: number): IdRange {
  const first = FIRST_ID + index * STRIDE;
  return { index, first, initId: first + RANGE_IDS };
}

/** The range whose init has this id; undefined if there is none. */
export function rangeOfInit(initId: number): IdRange | undefined {
  const index = (initId - RANGE_IDS - FIRST_ID) / STRIDE;
  return Number.isInteger(index) && index >= 0 && index < CHUNK * CHUNKS ? idRange(index) : undefined;
}

export class IdRanges implements Disposable {
  readonly #folder: string;
  readonly #cgroup: string;
  readonly #chunks = new Map<number, Deno.FsFile>();
  /** Of claimed chunks; the one that was given back last is the next to be taken. */
  readonly #free: number[] = [];

  /**
   * @param folder where all servers of the host keep their claims; made if it is not there, gone with the next boot
   * @param cgroup the folder whose `inits` lists this server's jobs
   */
  constructor(folder: string, cgroup: string) {
    this.#folder = folder;
    this.#cgroup = cgroup;
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** A range that is nobody's. @throws {EngineError} kind "exhausted" */
  take(): IdRange {
    const index = this.#free.pop() ?? this.#claimMore();
    return idRange(index);
  }

  give(index: number): void {
    this.#free.push(index);
  }

  /** Takes this very range: a job that an earlier server started has it. @throws {EngineError} kind "precondition" */
  adopt(index: number): void {
    const chunk = Math.floor(index / CHUNK);
    if (!this.#chunks.has(chunk) && !this.#claim(chunk)) {
      throw new EngineError(
        "precondition",
        `Cannot keep ids of a running job: another server holds ${this.#path(chunk)}`,
      );
    }
    const at = this.#free.indexOf(index);
    if (at >= 0) this.#free.splice(at, 1);
  }

  #claimMore(): number {
    for (let chunk = 0; chunk < CHUNKS; chunk++) {
      if (!this.#chunks.has(chunk) && this.#claim(chunk)) return this.#free.pop()!;
    }
    throw new EngineError("exhausted", `Cannot start a job: all ${CHUNK * CHUNKS} ranges of user ids are in use`);
  }

  #path(chunk: number): string {
    return `${this.#folder}/${chunk}`;
  }

  /** @returns whether the chunk is this server's now */
  #claim(chunk: number): boolean {
    const path = this.#path(chunk);
    const file = Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 });
    const owner = file.tryLockSync(true) ? Deno.readTextFileSync(path) : undefined;
    if (owner === undefined || (owner !== "" && owner !== this.#cgroup && hasInits(owner))) {
      file.close();
      return false;
    }
    file.truncateSync(0);
    file.writeSync(new TextEncoder().encode(this.#cgroup));
    this.#chunks.set(chunk, file);
    for (let index = (chunk + 1) * CHUNK - 1; index >= chunk * CHUNK; index--) this.#free.push(index);
    return true;
  }

  [Symbol.dispose](): void {
    this.#chunks.forEach((file) => file.close());
    this.#chunks.clear();
  }
}

function hasInits(cgroup: string): boolean {
  try {
    return Deno.readTextFileSync(`${cgroup}/inits/cgroup.procs`) !== "";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
