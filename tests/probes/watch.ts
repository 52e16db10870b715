/** What must hold after every probe, whatever it tried. */
import assert from "node:assert/strict";
import { hostState } from "../harness/leftovers.ts";
import type { Lab } from "./lab.ts";

/** Files that no job may change. */
const FILES = ["/etc/passwd", "/etc/shadow", Deno.execPath()];

interface Snapshot {
  readonly cgroups: readonly string[];
  readonly processes: readonly string[];
  readonly mounts: readonly string[];
  /** Network namespaces that a process is in. */
  readonly networks: readonly string[];
  readonly files: readonly string[];
}

export class HostWatch {
  readonly #lab: Lab;
  readonly #before: Snapshot;
  readonly #trueMs: number;
  /** Processes of others come and go on a host; in a guest there are none. */
  readonly #alone: boolean;

  private constructor(lab: Lab, before: Snapshot, { trueMs, alone }: WatchOptions) {
    this.#lab = lab;
    this.#before = before;
    this.#trueMs = trueMs;
    this.#alone = alone;
  }

  static async start(lab: Lab, options: WatchOptions): Promise<HostWatch> {
    return new HostWatch(lab, await snapshot(lab.home, options.alone), options);
  }

  /** @throws {AssertionError} if the engine is hurt or anything is left of the jobs before */
  async check(): Promise<void> {
    const { out, job, ms } = await this.#lab.run({ command: ["true"] });
    assert.equal(job.status.state, "completed", `true ended as ${JSON.stringify(job.status)}: ${out}`);
    assert(ms <= this.#trueMs, `true took ${ms} ms`);
    assert.deepEqual(this.#lab.errors.splice(0), [], "the engine complains");
    assert.deepEqual(await snapshot(this.#lab.home, this.#alone), this.#before);
  }
}

export interface WatchOptions {
  /** Most time from asking for `true` to its end. */
  readonly trueMs: number;
  readonly alone: boolean;
}

async function snapshot(home: string, alone: boolean): Promise<Snapshot> {
  const { cgroups, processes, mounts } = await hostState(home);
  const all = alone ? userProcesses() : [];
  return {
    cgroups,
    processes: [...processes, ...all],
    mounts: alone ? mounts : [],
    networks: alone ? networks() : [],
    files: await Promise.all(FILES.map(fingerprint)),
  };
}

/** ctime can't be forged, so a file with the same one has the same contents. */
async function fingerprint(path: string): Promise<string> {
  const { ino, size, ctime, mode } = await Deno.stat(path);
  return `${path} ${ino} ${size} ${ctime?.getTime()} ${mode}`;
}

function userProcesses(): string[] {
  return pids().map((pid) => `${pid} ${read(`/proc/${pid}/cmdline`).replaceAll("\0", " ")}`)
    // Kernel threads have no command line, and come and go.
    .filter((line) => /^\d+ ./.test(line));
}

function networks(): string[] {
  const links = pids().map((pid) => {
    try {
      return Deno.readLinkSync(`/proc/${pid}/ns/net`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    }
  });
  return [...new Set(links)].filter((link) => link !== "").sort();
}

/** Without the short-lived ones of this process's engine, which make namespaces for jobs to come and share its memory. */
function pids(): number[] {
  const own = read("/proc/self/cmdline");
  const all = [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Number.isInteger);
  return all.filter((pid) => pid === Deno.pid || read(`/proc/${pid}/cmdline`) !== own).sort((a, b) => a - b);
}

/** A file of /proc, empty if its process has just ended. */
function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Error && "code" in error) return "";
    throw error;
  }
}
