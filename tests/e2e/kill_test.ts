/** The server is killed again and again while jobs run: none is lost, none runs twice, no byte is missing. */
import assert from "node:assert/strict";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Job, JobState } from "../../proto/gen/joblet/v1/job_pb.ts";
import { connect } from "../harness/client.ts";
import { hostState } from "../harness/leftovers.ts";
import { requires } from "../harness/requires.ts";
import { TestServer } from "../harness/server.ts";

const KILLS = 10;
const JOBS_A_ROUND = 20;
const LINES = 20;

/** What a client calls a connection that broke. */
const BROKEN: ReadonlySet<Code> = new Set([Code.Unavailable, Code.Aborted, Code.Internal, Code.Unknown, Code.Canceled]);

/** Prints its number so often, on both streams, and exits with a code of its own. */
function script(number: number): string {
  return `for i in $(seq ${LINES}); do echo ${number}.$i; echo ${number}.$i >&2; sleep 0.0${number % 10}; done; exit ${
    number % 100
  }`;
}

/** Starts jobs until the server is killed. @returns numbers by job id, of those that the server acknowledged */
async function submit(server: TestServer, first: number): Promise<Map<string, number>> {
  const accepted = new Map<string, number>();
  await using client = await connect(server);
  const starts = Array.from({ length: JOBS_A_ROUND }, async (_, index) => {
    const number = first + index;
    try {
      const { job } = await client.jobs.runJob({
        spec: { command: "sh", args: ["-c", script(number)], name: `n${number}` },
      });
      accepted.set(job?.id ?? "", number);
    } catch (error) {
      // The server was killed before it could answer.
      assert(error instanceof ConnectError && BROKEN.has(error.code), String(error));
    }
  });
  const killed = Promise.race([...starts, Promise.all(starts)]).then(() => server.end("SIGKILL"));
  await Promise.all([...starts, killed]);
  return accepted;
}

async function checkJob(server: TestServer, job: Job, number: number): Promise<void> {
  const [out, err] = ["stdout", "stderr"].map(async (
    stream,
  ) => (await server.cli("logs", "-f", "--stream", stream, job.id)));
  const lines = Array.from({ length: LINES }, (_, index) => `${number}.${index + 1}\n`).join("");
  assert.equal((await out!).stdout, lines);
  assert.equal((await err!).stderr, lines);
}

Deno.test({
  ...requires("root", "cgroup2"),
  name:
    `${KILLS} kill -9 of the server at work: no accepted job is lost or run twice, all output and exit codes are right`,
  async fn() {
    await using server = await TestServer.start();
    const accepted = new Map<string, number>();
    for (let round = 0; round < KILLS; round++) {
      for (const [id, number] of await submit(server, round * JOBS_A_ROUND)) accepted.set(id, number);
      await server.launch();
    }
    await using client = await connect(server);
    for (const [id, number] of accepted) {
      let last: Job | undefined;
      for await (const { job } of client.jobs.watchJob({ id })) last = job;
      const expected = number % 100;
      assert.equal(last?.exitCode, expected, `job ${number}`);
      assert.equal(last?.state, expected === 0 ? JobState.COMPLETED : JobState.FAILED);
    }
    assert(accepted.size >= KILLS, `${accepted.size} jobs were accepted`);
    const { jobs } = await client.jobs.listJobs({ pageSize: 1000 });
    // Those whose acknowledgement was cut off are there too, or were never begun; they end as well.
    for (const { id } of jobs) for await (const _ of client.jobs.watchJob({ id }));
    const names = jobs.map(({ spec }) => spec?.name);
    assert.equal(new Set(names).size, names.length, "no job is there twice");
    for (const [id, number] of [...accepted].slice(-10)) {
      const { job } = await client.jobs.getJob({ id });
      await checkJob(server, job!, number);
    }
    const { cgroups, processes } = await hostState(server.home);
    assert.deepEqual([cgroups, processes], [[], []]);
  },
});
