import assert from "node:assert/strict";
import type { JobSpec } from "../../../proto/gen/joblet/v1/job_pb.ts";
import { JobState } from "../../../proto/gen/joblet/v1/job_pb.ts";
import { fakeCli } from "../../testing/fake_cli.ts";

const ID = "f47ac10b-58cc-4372-a567-0e02b2c3d479";
const MIB = 1n << 20n;
const startedAt = { seconds: 1_767_225_600n, nanos: 0 };

function rnx() {
  const specs: JobSpec[] = [];
  const cli = fakeCli({
    runJob: ({ spec }) => {
      specs.push(spec!);
      const secretEnv = Object.fromEntries(Object.keys(spec!.secretEnv).map((name) => [name, ""]));
      return { job: { id: ID, state: JobState.RUNNING, startedAt, spec: { ...spec!, secretEnv } } };
    },
  }, { face: "rnx" });
  return { cli, specs };
}

for (
  const flags of [
    ["--max-cpu=50", "--max-memory=512", "--max-iobps=1000", "--cpu-cores=0-1,3", "--timeout=5m", "--network=isolated"],
    ["--max-cpu", "50", "--max-memory", "512", "--max-iobps", "1000", "--cpu-cores", "0-1,3"]
      .concat(["--timeout", "5m", "--network", "isolated"]),
    ["--maxCpu=50", "--max-memory=512M", "--max-iobps=1000B", "--cpu-cores=0-1,3", "--timeout=300", "--network=none"],
  ]
) {
  Deno.test(`rnx job run ${flags.slice(0, 3).join(" ")} ... sets every limit`, async () => {
    const { cli, specs } = rnx();
    assert.equal(await cli.run("job", "run", ...flags, "ls", "--max-cpu=1", "-h"), 0);
    const [spec] = specs;
    assert.deepEqual([spec?.command, spec?.args], ["ls", ["--max-cpu=1", "-h"]]);
    const { cpuPercent, memoryBytes, ioBytesPerSecond, cpuCores } = spec!.limits!;
    assert.deepEqual([cpuPercent, memoryBytes, ioBytesPerSecond, cpuCores], [50, 512n * MIB, 1000n, "0-1,3"]);
    assert.deepEqual([spec?.timeout?.seconds, spec?.network], [300n, "none"]);
  });
}

Deno.test("rnx job run takes variables behind = and as the next word, and counts them", async () => {
  const { cli, specs } = rnx();
  const flags = ["--env=A=1", "--env", "B=2=3", "-e", "C=", "--secret-env=S=x", "--secret-env", "T=y", "-s", "U=z"];
  assert.equal(await cli.run("run", ...flags, "--", "--odd"), 0);
  assert.deepEqual(specs[0]?.env, { A: "1", B: "2=3", C: "" });
  assert.deepEqual(specs[0]?.secretEnv, { S: "x", T: "y", U: "z" });
  assert.equal(specs[0]?.command, "--odd");
  assert.match(cli.out(), /^Environment: 3\nSecret Environment: 3$/m);
});

Deno.test("rnx job run prints id, command, status and start, or with --json an object", async () => {
  const { cli } = rnx();
  assert.equal(await cli.run("job", "run", "echo", "Hello, Joblet!"), 0);
  const lines = cli.out().split("\n");
  assert.deepEqual(lines.slice(0, 4), [
    "Job started:",
    `ID: ${ID}`,
    "Command: echo 'Hello, Joblet!'",
    "Status: RUNNING",
  ]);
  assert.match(lines[4]!, /^StartTime: \d{4}-\d\d-\d\d \d\d:\d\d:00 [+-]\d\d:\d\d$/);
  const json = rnx();
  assert.equal(await json.cli.run("--json", "job", "run", "--schedule=1 hour", "-e=A=1", "true"), 0);
  assert.deepEqual(JSON.parse(json.cli.out()), {
    job_uuid: ID,
    command: "true",
    args: [],
    status: "RUNNING",
    start_time: "2026-01-01T00:00:00.000Z",
    schedule_input: "1 hour",
    scheduled_time: "",
    files_uploaded: 0,
    env_vars: 1,
    secret_env_vars: 0,
  });
  assert.match(json.specs[0]!.schedule!.when, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
});

for (
  const [words, code, message] of [
    [["--upload=pom.xml", "mvn"], 1, "Cannot use --upload: joblet has no uploads yet"],
    [["--upload-dir", "src", "mvn"], 1, "Cannot use --upload-dir: joblet has no uploads yet"],
    [["--volume=data", "ls"], 1, "Cannot use --volume: joblet has no volumes yet"],
    [["--runtime=python-3.11-ml", "pytest", "tests/"], 1, "Cannot use --runtime: joblet has no runtimes yet"],
    [["--gpu=1", "ls"], 1, "Cannot use --gpu: joblet has no GPUs for jobs yet"],
    [["--gpu-memory=8GB", "ls"], 1, "Cannot use --gpu-memory: joblet has no GPUs for jobs yet"],
    [["--network=test-env", "ls"], 1, /^Cannot use --network test-env: joblet has no networks of its own yet/],
    [["--frob=1", "ls"], 2, /^Cannot use --frob: there is no such flag/],
    [["--max-cpu=abc", "ls"], 2, /^Cannot use --max-cpu 'abc': it must be a whole percentage/],
    [["--max-memory=12X", "ls"], 2, /^Cannot read size '12X'/],
    [["--gpu=abc", "ls"], 2, /^Cannot use 'abc': it must be a whole number/],
    [["--secret-env", "s3cret", "ls"], 2, /^Cannot use --secret-env: it must look like NAME=VALUE \(see/],
    [["--schedule=soon", "ls"], 2, /^Cannot use --schedule 'soon'/],
    [["--max-memory"], 2, /Expected input for flag --max-memory/],
    [[], 2, /Expected at least 1/],
  ] as const
) {
  Deno.test(`rnx job run ${words.join(" ")} starts nothing, exits with ${code} and says why`, async () => {
    const { cli, specs } = rnx();
    assert.equal(await cli.run("job", "run", ...words), code);
    assert.deepEqual([specs.length, cli.out()], [0, ""]);
    const told = /^rnx: (.*)\n$/.exec(cli.err())?.[1] ?? "";
    typeof message === "string" ? assert.equal(told, message) : assert.match(told, message);
  });
}
