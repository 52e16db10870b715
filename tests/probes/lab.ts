/** An engine in this process that probes run on. */
import { defaultEngineConfig, type EngineConfig } from "../../core/config.ts";
import { openEngine } from "../../core/engine.ts";
import type { Engine } from "../../core/jobs/engine.ts";
import { isTerminal, type Job } from "../../core/jobs/job.ts";
import type { JobSpecInput } from "../../core/jobs/spec.ts";
import type { Alterations } from "../../core/run/parts.ts";
import { homeAt } from "../../core/values/home.ts";
import type { ProbeJob, ProbeResult } from "./probe.ts";

const MIB = 1024 * 1024;

/** Limits of a probe's job that names none. */
const DEFAULT_LIMITS = { cpuPercent: 100, memoryBytes: 256 * MIB, pids: 64, diskBytes: 64 * MIB };
const DEFAULT_TIMEOUT_MS = 30_000;
/** A probe that takes longer hangs. */
const DEADLINE_MS = 120_000;

export interface LabOptions {
  readonly home: string;
  /** Whether the host has the controllers for limits; else jobs have none. */
  readonly limits: boolean;
  readonly config?: Partial<EngineConfig>;
}

/** A job whose program runs. */
export interface LiveJob {
  readonly lab: Lab;
  readonly id: string;
  /** Reads a file of its cgroup. */
  cgroup(file: string): string;
  /** Resolves once the stream has this text, with all that came before; false if the job ended without it. */
  untilOutput(text: string, stream?: "stdout" | "stderr"): Promise<boolean>;
  /** The same of stdout, for a job without which a probe makes no sense. @throws {Error} if it ended without it */
  mustSay(text: string): Promise<void>;
}

export class Lab implements AsyncDisposable {
  readonly home: string;
  readonly limits: boolean;
  /** What went wrong in the engine's background. */
  readonly errors: string[] = [];
  readonly #config: EngineConfig;
  #engine: Engine | undefined;
  #alter: Alterations = {};
  #alterError: unknown;

  private constructor({ home, limits, config }: LabOptions) {
    this.home = home;
    this.limits = limits;
    this.#config = { ...defaultEngineConfig(homeAt(home)), ...config };
  }

  static async open(options: LabOptions): Promise<Lab> {
    await Deno.mkdir(options.home, { recursive: true });
    const lab = new Lab(options);
    await lab.#open();
    return lab;
  }

  async #open(): Promise<void> {
    const onError = (what: string, error: unknown) => void this.errors.push(`${what}: ${error}`);
    this.#engine = await openEngine(this.#config, onError, {
      alter: {
        plan: (plan) => this.#altered(plan, this.#alter.plan),
        limits: (writes) => this.#altered(writes, this.#alter.limits),
      },
    });
  }

  /** An alteration that throws must not look like a failure of the engine. */
  #altered<T>(value: T, change: ((value: T) => T) | undefined): T {
    try {
      return change?.(value) ?? value;
    } catch (error) {
      this.#alterError = error;
      return value;
    }
  }

  get engine(): Engine {
    if (!this.#engine) throw new Error("The lab's engine is not open");
    return this.#engine;
  }

  /** Another engine on the same home, as after a restart of the server. */
  async reopen(): Promise<void> {
    await this.engine.close();
    await this.#open();
  }

  /** Starts a job; resolves when its program runs. */
  async start(job: ProbeJob, alter: Alterations = {}): Promise<Job> {
    this.#alter = alter;
    this.#alterError = undefined;
    try {
      const started = await this.engine.run(this.input(job), job.owner ?? "probe");
      if (this.#alterError !== undefined) {
        await this.engine.stop(started.id, { signal: "SIGKILL" });
        throw this.#alterError;
      }
      const { status } = started;
      if (status.state === "failed" && status.failure) throw new StartError(status.failure.message);
      return started;
    } finally {
      this.#alter = {};
    }
  }

  /** What the engine is asked for. */
  input({ command: [command, ...args], limits = {}, owner: _, timeoutMs, ...rest }: ProbeJob): JobSpecInput {
    // A kept folder lies on the host's disk, where nothing bounds it.
    const { diskBytes, ...others } = DEFAULT_LIMITS;
    const asked = this.limits ? { ...others, ...(rest.work === "kept" ? {} : { diskBytes }), ...limits } : {};
    const big = Object.entries(asked).map((
      [name, value],
    ) => [name, /Bytes/.test(name) ? BigInt(value as number) : value]);
    return { command, args, ...rest, limits: Object.fromEntries(big), timeoutMs: timeoutMs ?? DEFAULT_TIMEOUT_MS };
  }

  /** Runs a job to its end. @param act called when its program runs */
  async run(
    job: ProbeJob,
    alter: Alterations = {},
    act: (live: LiveJob) => Promise<ProbeResult["facts"]> = () => Promise.resolve({}),
  ): Promise<ProbeResult> {
    const begun = performance.now();
    const { id } = await this.start(job, alter);
    try {
      const facts = await act(this.live(id));
      return { ...await this.finish(id), ms: performance.now() - begun, facts };
    } finally {
      await this.engine.stop(id, { signal: "SIGKILL" });
    }
  }

  /** The ended job with its output. */
  async finish(id: string): Promise<Pick<ProbeResult, "out" | "err" | "bytes" | "job">> {
    const chunks: Record<"stdout" | "stderr", Uint8Array<ArrayBuffer>[]> = { stdout: [], stderr: [] };
    for await (const batch of this.engine.logs(id, { follow: true }, AbortSignal.timeout(DEADLINE_MS))) {
      for (const { stream, data } of batch.pieces) chunks[stream].push(data.slice());
      if (!batch.endedJob) continue;
      const bytes = await new Blob(chunks.stdout).bytes();
      const err = await new Blob(chunks.stderr).text();
      return { out: new TextDecoder().decode(bytes), err, bytes, job: batch.endedJob };
    }
    throw new Error(`Job ${id} did not end within ${DEADLINE_MS} ms`);
  }

  live(id: string): LiveJob {
    const untilOutput = async (text: string, stream: "stdout" | "stderr" = "stdout") => {
      let seen = "";
      const query = { follow: true, streams: [stream] };
      for await (const { pieces } of this.engine.logs(id, query, AbortSignal.timeout(DEADLINE_MS))) {
        for (const { data } of pieces) seen += new TextDecoder().decode(data);
        if (seen.includes(text)) return true;
      }
      return false;
    };
    return {
      lab: this,
      id,
      cgroup: (file) => Deno.readTextFileSync(`${cgroupOf(id)}/${file}`).trim(),
      untilOutput,
      mustSay: async (text) => {
        // No assertion: that would look as if the attack had been noticed.
        if (!await untilOutput(text)) throw new Error(`Job ${id} ended before it said ${JSON.stringify(text)}`);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { id, status } of this.engine.list({ pageSize: 1000 }).jobs) {
      if (!isTerminal(status.state)) await this.engine.stop(id, { signal: "SIGKILL" });
    }
    await this.engine.close();
  }
}

/** A job whose sandbox could not be made: in a twin it would look like an attack that failed. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** The job's folder in the cgroup hierarchy. */
export function cgroupOf(id: string): string {
  const find = (folder: string): string | undefined => {
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      if (!isDirectory) continue;
      if (name === `job-${id}`) return `${folder}/${name}`;
      const found = name.startsWith("job-") ? undefined : find(`${folder}/${name}`);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const found = find(`${cgroupRoot()}/joblet`);
  if (found === undefined) throw new Error(`Job ${id} has no cgroup`);
  return found;
}

/** Where cgroup v2 is mounted. */
export function cgroupRoot(): string {
  const line = Deno.readTextFileSync("/proc/self/mountinfo").split("\n").find((mount) => mount.includes(" - cgroup2 "));
  return line!.split(" ")[4]!;
}
