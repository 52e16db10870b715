import assert from "node:assert/strict";
import { EndReason, JobState, LogStream } from "../../../proto/gen/joblet/v1/job_pb.ts";
import { fakeCli } from "../../testing/fake_cli.ts";

const ID = "f47ac10b-58cc-4372-a567-0e02b2c3d479";
const face = "rnx" as const;
const at = (seconds: number) => ({ seconds: BigInt(1_767_225_600 + seconds), nanos: 0 });
const JOB = {
  id: ID,
  owner: "alice",
  state: JobState.COMPLETED,
  endReason: EndReason.EXITED,
  exitCode: 0,
  startedAt: at(0),
  endedAt: at(90),
  spec: {
    command: "sh",
    args: ["-c", "x".repeat(100)],
    name: "build",
    env: { MODE: "test" },
    secretEnv: { API_KEY: "" },
    network: "none",
    workdir: "/work",
    limits: { cpuPercent: 50, memoryBytes: 512n << 20n },
  },
};

for (const words of [["job", "list"], ["list"]]) {
  Deno.test(`rnx ${words.join(" ")} prints a table with commands cut at 80 characters, or rnx's keys`, async () => {
    const table = fakeCli({ listJobs: () => ({ jobs: [JOB] }) }, { face });
    assert.equal(await table.run(...words), 0);
    const [heading, row] = table.out().split("\n");
    assert.match(heading!, /^ID +NAME +NODE ID +STATUS +START TIME +COMMAND$/);
    assert.match(row!, /build +- +COMPLETED .* sh -c x{71}\.\.\.$/);
    const json = fakeCli({ listJobs: () => ({ jobs: [JOB] }) }, { face });
    assert.equal(await json.run(...words, "--json"), 0);
    assert.deepEqual(JSON.parse(json.out()), [{
      id: ID,
      name: "build",
      node_id: "",
      status: "COMPLETED",
      start_time: "2026-01-01T00:00:00.000Z",
      end_time: "2026-01-01T00:01:30.000Z",
      command: "sh",
      args: ["-c", "x".repeat(100)],
      exit_code: 0,
      max_cpu: 50,
      max_memory: 512,
      max_iobps: 0,
      cpu_cores: "",
      scheduled_time: "",
    }]);
  });
}

Deno.test("rnx job list of no jobs says so, and [] with --json", async () => {
  const cli = fakeCli({ listJobs: () => ({}) }, { face });
  assert.equal(await cli.run("job", "list"), 0);
  assert.equal(await cli.run("--json", "job", "list"), 0);
  assert.equal(cli.out(), "No jobs found\n[]\n");
});

Deno.test("rnx job status shows sections, secrets as ***, and what to do next", async () => {
  const cli = fakeCli({ getJob: () => ({ job: JOB }) }, { face });
  assert.equal(await cli.run("job", "status", "f47a"), 0);
  const text = cli.out();
  assert.match(
    text,
    new RegExp(`^Job ID: ${ID}\\nName: build\\nOwner: alice\\n\\nCommand: sh -c x+\\nStatus: COMPLETED\\n`),
  );
  assert.match(text, /\nTiming:\n(?: {2}.*\n)* {2}Duration: 1m30s\n/);
  assert.match(text, /\nResource Limits:\n {2}CPU limit: 50 % of a core\n {2}Memory limit: 512 MiB\n/);
  assert.match(text, /\nEnvironment:\n {2}MODE: test\n {2}API_KEY: \*\*\* \(secret\)\n/);
  assert.match(text, /\nResult:\n {2}Exit Code: 0\n/);
  assert.match(text, new RegExp(`\\nNext:\\n {2}rnx job log ${ID}\\n {2}rnx job delete ${ID}\\n$`));
});

Deno.test("rnx job status --json has rnx's keys, limits only where there are some", async () => {
  const cli = fakeCli({ getJob: () => ({ job: JOB }) }, { face });
  assert.equal(await cli.run("status", "--json", ID), 0);
  assert.deepEqual(JSON.parse(cli.out()), {
    uuid: ID,
    name: "build",
    nodeId: "",
    command: "sh",
    args: ["-c", "x".repeat(100)],
    status: "COMPLETED",
    startTime: "2026-01-01T00:00:00.000Z",
    endTime: "2026-01-01T00:01:30.000Z",
    exitCode: 0,
    scheduledTime: "",
    environment: { MODE: "test" },
    secretEnvironment: { API_KEY: "***" },
    network: "none",
    volumes: [],
    runtime: "",
    workDir: "/work",
    uploads: [],
    dependencies: [],
    workflowUuid: "",
    maxCPU: 50,
    maxMemory: 512,
  });
});

Deno.test("rnx job log prints both streams' bytes in order, and with --json a piece with its own time", async () => {
  const service = {
    async *streamLogs({ follow, tailLines }: { readonly follow: boolean; readonly tailLines: number }) {
      assert.deepEqual([follow, tailLines], [true, 0]);
      yield {
        frames: [
          { stream: LogStream.STDERR, data: Uint8Array.of(98, 255), time: at(0) },
          { stream: LogStream.STDOUT, data: Uint8Array.of(97), time: at(1) },
        ],
        nextOffset: 2n,
        endedJob: { id: ID },
      };
    },
  };
  const raw = fakeCli(service, { face });
  assert.equal(await raw.run("job", "log", ID), 0);
  assert.deepEqual([raw.outBytes(), raw.err()], [Uint8Array.of(98, 255, 97), ""]);
  const json = fakeCli(service, { face });
  assert.equal(await json.run("log", "-f", "--json", ID), 0);
  assert.deepEqual(json.out().trim().split("\n").map((line) => JSON.parse(line)), [
    { timestamp: "2026-01-01T00:00:00.000000000Z", data: "b\ufffd", base64: "Yv8=" },
    { timestamp: "2026-01-01T00:00:01.000000000Z", data: "a" },
  ]);
});

for (
  const [words, text, json] of [
    [["job", "stop"], `Job stopped:\nID: ${ID}\nStatus: STOPPED\nResult: signal 15 (SIGTERM)\n`, {
      uuid: ID,
      status: "STOPPED",
      end_time: "2026-01-01T00:01:30.000Z",
      exit_code: null,
    }],
    [["job", "cancel"], `Job canceled:\nID: ${ID}\nStatus: CANCELED\n`, {
      canceled: true,
      job_id: ID,
      status: "CANCELED",
      message: `Job ${ID} is canceled`,
    }],
    [["job", "delete"], `Job deleted:\nID: ${ID}\n`, { uuid: ID, success: true, message: `Job ${ID} is deleted` }],
  ] as const
) {
  Deno.test(`rnx ${words.join(" ")} tells what it did, to people and to programs`, async () => {
    const deleted: string[] = [];
    const service = {
      stopJob: () => ({ job: { id: ID, state: JobState.STOPPED, signal: 15, endedAt: at(90) } }),
      cancelJob: () => ({ job: { id: ID, state: JobState.CANCELED } }),
      getJob: () => ({ job: JOB }),
      deleteJob: ({ id }: { readonly id: string }) => {
        deleted.push(id);
        return {};
      },
    };
    const people = fakeCli(service, { face });
    assert.equal(await people.run(...words, "f47a"), 0);
    assert.equal(people.out(), text);
    const programs = fakeCli(service, { face });
    assert.equal(await programs.run(...words, "--json", "f47a"), 0);
    assert.deepEqual(JSON.parse(programs.out()), json);
    assert.deepEqual(deleted, words[1] === "delete" ? [ID, ID] : []);
  });
}

Deno.test("rnx job delete-all counts", async () => {
  const cli = fakeCli({ deleteJobs: () => ({ deleted: 3n, skipped: 1n }) }, { face });
  assert.equal(await cli.run("job", "delete-all"), 0);
  assert.equal(cli.out(), "Jobs deleted:\nDeleted: 3\nSkipped: 1\n");
  const json = fakeCli({ deleteJobs: () => ({ deleted: 3n, skipped: 1n }) }, { face });
  await json.run("job", "delete-all", "--json");
  const message = "3 deleted, 1 skipped as they have not ended";
  assert.deepEqual(JSON.parse(json.out()), { success: true, message, deleted_count: 3, skipped_count: 1 });
});

for (
  const words of [
    ["network", "create", "my-network", "--cidr=10.0.0.0/24"],
    ["volume", "create", "data-vol", "--size=10GB"],
    ["runtime", "list"],
    ["workflow", "status", "--detail", "a1"],
    ["monitor", "watch", "--interval=5"],
    ["flow", "start", "order", "--input", "{}"],
    ["job", "metrics", "f47a"],
    ["job", "telematics", "--types", "exec", "f47a"],
    ["job", "status", "--workflow", "--detail", "a1"],
  ]
) {
  Deno.test(`rnx ${words.join(" ")} names the feature that is not there and exits with 1`, async () => {
    const cli = fakeCli({}, { face });
    assert.equal(await cli.run(...words), 1);
    assert.match(cli.err(), /^rnx: Cannot .*: joblet has no .*\n$/);
    assert.equal(cli.out(), "");
  });
}
