/**
 * A load of numbered jobs that can be checked afterwards: each has run once, printed its lines on both streams and ended with
 * a code of its own, whatever happened to the server meanwhile.
 */
import assert from "node:assert/strict";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Job, JobState, LogStream } from "../../proto/gen/joblet/v1/job_pb.ts";
import type { TestClient } from "../harness/client.ts";
import { Witness } from "./witness.ts";

const LINES = 30;
const PAGE = 1000;
const LIVE = [JobState.PENDING, JobState.SCHEDULED, JobState.INITIALIZING, JobState.RUNNING, JobState.STOPPING];
/** What a client calls a connection that broke, and what a server says that has no room. */
const AGAIN: ReadonlySet<Code> = new Set([
  Code.Unavailable,
  Code.Aborted,
  Code.Internal,
  Code.Unknown,
  Code.Canceled,
  Code.ResourceExhausted,
]);

export class Load implements AsyncDisposable {
  readonly witness = new Witness();
  /** Ids by number, of the jobs that the server accepted. */
  readonly accepted = new Map<number, string>();
  readonly #unanswered = new Set<number>();
  readonly #spanMs: number;
  readonly #prefix = crypto.randomUUID();
  #next = 0;

  /** @param spanMs how long a job runs, about */
  constructor(spanMs: number) {
    this.#spanMs = spanMs;
  }

  /** Submits those that were never answered, and new ones until so many live. @returns resolves when all were answered */
  async topUp(client: TestClient, live: number): Promise<void> {
    const missing = live - (await this.live(client)).length - this.#unanswered.size;
    const numbers = [...this.#unanswered, ...Array.from({ length: Math.max(0, missing) }, () => this.#next++)];
    await Promise.all(numbers.map((number) => this.#submit(client, number)));
  }

  /** Submits what was never answered. */
  async retry(client: TestClient): Promise<void> {
    await Promise.all([...this.#unanswered].map((number) => this.#submit(client, number)));
    assert.equal(this.#unanswered.size, 0);
  }

  async #submit(client: TestClient, number: number): Promise<void> {
    this.#unanswered.add(number);
    const spec = { command: "bash", args: ["-c", this.#script(number)], name: `n${number}`, network: "host" };
    try {
      const { job } = await client.jobs.runJob({ spec, idempotencyKey: `${this.#prefix}-${number}` });
      assert(job);
      const before = this.accepted.get(number) ?? job.id;
      assert.equal(job.id, before, "one key, one job");
      this.accepted.set(number, job.id);
      this.#unanswered.delete(number);
    } catch (error) {
      if (!(error instanceof ConnectError && AGAIN.has(error.code))) throw error;
    }
  }

  #script(number: number): string {
    const half = (this.#spanMs / 2000 * (0.5 + (number * 7919 % 1000) / 1000)).toFixed(3);
    return `exec 3<>/dev/tcp/127.0.0.1/${this.witness.port}; echo ${number} >&3; exec 3>&-
      for ((i = 0; i < ${LINES}; i++)); do
        echo ${number}.$i; echo ${number}.$i >&2; ((i == ${LINES / 2})) && sleep ${half}
      done
      sleep ${half}; echo last; exit ${number % 100}`;
  }

  async live(client: TestClient): Promise<Job[]> {
    return (await client.jobs.listJobs({ pageSize: PAGE, states: LIVE })).jobs;
  }

  /** Waits until every job has ended, then checks each. */
  async check(client: TestClient): Promise<void> {
    await this.retry(client);
    for (let live = await this.live(client); live.length > 0; live = await this.live(client)) {
      for await (const _ of client.jobs.watchJob({ id: live[0]!.id }));
    }
    await this.#checkNames(client);
    const jobs = [...this.accepted];
    for (let at = 0; at < jobs.length; at += 16) {
      await Promise.all(jobs.slice(at, at + 16).map(([number, id]) => this.#checkJob(client, number, id)));
    }
  }

  async #checkNames(client: TestClient): Promise<void> {
    const names: string[] = [];
    for (let pageToken = "", more = true; more; more = pageToken !== "") {
      const page = await client.jobs.listJobs({ pageSize: PAGE, pageToken });
      names.push(...page.jobs.map(({ spec }) => spec?.name ?? ""));
      pageToken = page.nextPageToken;
    }
    assert.equal(new Set(names).size, names.length, "no job is there twice");
    assert.deepEqual(names.length, this.accepted.size, "the jobs are those that were accepted");
  }

  async #checkJob(client: TestClient, number: number, id: string): Promise<void> {
    const { job } = await client.jobs.getJob({ id });
    assert.equal(job?.exitCode, number % 100, `job ${number}: ${JobState[job?.state ?? 0]} ${job?.endDetail}`);
    assert.equal(job.state, number % 100 === 0 ? JobState.COMPLETED : JobState.FAILED);
    assert.equal(this.witness.runs.get(number), 1, `job ${number} has run so often`);
    const lines = Array.from({ length: LINES }, (_, index) => `${number}.${index}\n`).join("");
    const { out, err } = await readLog(client, id);
    assert.deepEqual([out, err], [`${lines}last\n`, lines], `output of job ${number}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.witness[Symbol.asyncDispose]();
  }
}

/** A job's whole output. */
export async function readLog(client: TestClient, id: string): Promise<{ readonly out: string; readonly err: string }> {
  const chunks: { [stream: number]: Uint8Array[] } = { [LogStream.STDOUT]: [], [LogStream.STDERR]: [] };
  for await (const { frames } of client.jobs.streamLogs({ id })) {
    for (const { stream, data, missingBytes } of frames) {
      assert.equal(missingBytes, 0n, "bytes are missing");
      chunks[stream]!.push(data);
    }
  }
  const text = (stream: LogStream) => new TextDecoder().decode(new Uint8Array(chunks[stream]!.flatMap((c) => [...c])));
  return { out: text(LogStream.STDOUT), err: text(LogStream.STDERR) };
}
