/** A host without a kernel: runs that go on when their engine dies, and output that tells how they ended. */
import { EngineError } from "../../errors.ts";
import type { LogStore, RunId } from "../../logs/log_store.ts";
import type { SignalName } from "../../values/signal.ts";
import type { ExitStatus, Job } from "../job.ts";
import type { RunEnd } from "../outcome.ts";
import type { Run, Runner, StartResult } from "../runner.ts";
import type { SimClock } from "./sim_clock.ts";
import { turns } from "./sim_store.ts";

export interface SimRun {
  readonly id: string;
  readonly attempt: number;
  signalled: boolean;
  end: RunEnd | undefined;
  readonly listeners: Set<() => void>;
}

const key = ({ id, attempt }: RunId) => `${id}.${attempt}`;

export class SimHost {
  readonly clock: SimClock;
  /** Every program that was ever executed. */
  readonly executions: string[] = [];
  /** Runs whose program lives. */
  readonly running = new Map<string, SimRun>();
  /** How ended runs ended, as their journals tell. */
  readonly outcomes = new Map<string, RunEnd>();
  diskFull = false;
  bootId = "boot-1";
  /** Most programs that ever ran at once. */
  mostRunning = 0;

  constructor(clock: SimClock) {
    this.clock = clock;
  }

  /** @param alive false once the engine that uses it is dead: then nothing is answered any more */
  runner(alive: () => boolean): Runner {
    const never = new Promise<never>(() => {});
    return {
      supports: () => true,
      check: () => {},
      plan: () => [],
      start: async (job) => {
        await turns(2);
        if (!alive()) return await never;
        const result = this.#start(job);
        await turns(2);
        return alive() ? result : await never;
      },
      adopt: async () => {
        await turns(2);
        return new Map([...this.running.values()].map((run) => [run.id, this.#follow(run)]));
      },
      lookBack: async ({ id, attempt }) => {
        await turns(2);
        return this.outcomes.get(key({ id, attempt }));
      },
      discard: () => Promise.resolve(),
      removeLeftovers: () => Promise.resolve(),
    };
  }

  #start(job: Job): StartResult {
    if (this.diskFull) return { later: "create the journal" };
    if (job.spec.command === "missing") {
      return { failure: { step: "exec", errno: "ENOENT", message: "exec: not found", exitCode: 127 } };
    }
    const run: SimRun = { id: job.id, attempt: job.attempt, signalled: false, end: undefined, listeners: new Set() };
    this.executions.push(key(run));
    this.running.set(job.id, run);
    this.mostRunning = Math.max(this.mostRunning, this.running.size);
    return { run: this.#follow(run) };
  }

  #follow(run: SimRun): Run {
    const ended = new Promise<RunEnd>((resolve) => {
      if (run.end) resolve(run.end);
      run.listeners.add(() => resolve(run.end!));
    });
    return {
      ended,
      stop: (signal: SignalName, graceMs: number) => {
        if (run.end) return;
        run.signalled = true;
        if (signal === "SIGKILL" || graceMs <= 0) this.end(run, { kind: "signaled", signal: 9 });
        else this.end(run, { kind: "signaled", signal: 15 });
      },
      usage: () => undefined,
      release: () => Promise.resolve(run.end !== undefined),
    };
  }

  /** Ends a program by itself. @param exit undefined: nobody sees how */
  end(run: SimRun, exit: ExitStatus | undefined, fields: Partial<RunEnd> = {}): void {
    if (run.end) return;
    const facts = { timedOut: false, oomKilled: false, signalPassedOn: run.signalled };
    run.end = { exit, ...facts, endedAt: new Date(this.clock.now()), ...fields };
    this.running.delete(run.id);
    this.outcomes.set(key(run), run.end);
    for (const listener of run.listeners) listener();
  }

  /** All programs are gone, and nothing was written of how. */
  reboot(): void {
    for (const run of this.running.values()) {
      run.end = { exit: undefined, timedOut: false, signalPassedOn: false, oomKilled: false, endedAt: new Date(0) };
    }
    this.running.clear();
    this.bootId = `boot-${Number(this.bootId.slice(5)) + 1}`;
  }

  /** Output is not what this is about: just that it is there. */
  logs(): LogStore {
    const missing = () => new EngineError("not_found", "Cannot read: no output is kept here");
    return {
      create: () => "",
      describe: () => "",
      exists: () => false,
      outcome: () => Promise.reject(missing()),
      // deno-lint-ignore require-yield -- It has nothing to give.
      read: async function* () {
        throw await Promise.resolve(missing());
      },
      diskBytes: () => 0,
      seal: () => Promise.resolve(0),
      removeRun: () => Promise.resolve(),
      remove: () => Promise.resolve(),
      list: async function* () {},
      close: () => Promise.resolve(),
    };
  }
}
