import assert from "node:assert/strict";
import { toJson } from "@bufbuild/protobuf";
import { type JobSpec, JobSpecSchema } from "../../proto/gen/joblet/v1/job_pb.ts";
import { fakeCli } from "../testing/fake_cli.ts";

const job = { id: "0fb570a0-6753-4486-b3e5-9e84cd0a03ca" };

/** The spec that a command line asks for, as protobuf JSON. */
async function specOf(...words: string[]): Promise<Record<string, unknown>> {
  let seen: JobSpec | undefined;
  const cli = fakeCli({
    runJob: ({ spec }) => {
      seen = spec;
      return { job };
    },
  });
  assert.equal(await cli.run("run", "-d", ...words), 0, cli.err());
  return toJson(JobSpecSchema, seen!) as Record<string, unknown>;
}

Deno.test("run passes labels, priority and retries on", async () => {
  const { labels, priority, retry, schedule } = await specOf(
    ...["--label", "team=red", "--label=tier=a=b", "--priority", "7", "--retries", "3", "--retry-delay", "1m30s"],
    ...["--retry-on", "exit,oom", "--retry-on=lost", "--retry-on", "exit", "--", "x"],
  );
  assert.deepEqual(labels, { team: "red", tier: "a=b" });
  assert.equal(priority, 7);
  assert.deepEqual(retry, {
    limit: 3,
    delay: "90s",
    on: ["RETRY_ON_EXIT", "RETRY_ON_OUT_OF_MEMORY", "RETRY_ON_LOST"],
  });
  assert.equal(schedule, undefined);
});

Deno.test("run asks for no policy that was not named", async () => {
  const spec = await specOf("x");
  assert.deepEqual([spec["labels"], spec["priority"], spec["retry"], spec["schedule"]], Array(4).fill(undefined));
});

for (const words of [["--priority", "-5"], ["--priority=-5"]]) {
  Deno.test(`run takes a negative number as in '${words.join(" ")}'`, async () => {
    const { priority, command, args } = await specOf(...words, "ls", "-5");
    assert.deepEqual([priority, command, args], [-5, "ls", ["-5"]]);
  });
}

Deno.test("run passes a schedule on as it was written, by default in this machine's zone", async () => {
  const { schedule } = await specOf("--schedule", "30 7 * * mon-fri", "x");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  assert.deepEqual(schedule, { when: "30 7 * * mon-fri", timeZone: zone });
  const full = await specOf(
    ...["--schedule", "@daily", "--time-zone", "Europe/Berlin", "--misfire", "skip", "--overlap=replace", "x"],
  );
  assert.deepEqual(full["schedule"], {
    when: "@daily",
    timeZone: "Europe/Berlin",
    misfire: "MISFIRE_POLICY_SKIP",
    overlap: "OVERLAP_POLICY_REPLACE",
  });
});

for (
  const [words, message] of [
    [["--label", "red"], "Cannot use --label 'red': it must look like KEY=VALUE"],
    [["--label", "=red"], "Cannot use --label '=red'"],
    [["--label", "a=1", "--label", "a=2"], "Cannot use --label 'a=2': a key can have one value, and '1' is given too"],
    [["--priority", "101"], "Cannot use --priority '101': it must be a whole number from -100 to 100"],
    [["--priority", "-101"], "Cannot use --priority '-101'"],
    [["--priority", "high"], "Cannot use --priority 'high'"],
    [["--retries", "101"], "Cannot use --retries '101': it must be a whole number from 0 to 100"],
    [["--retries=-1"], "Cannot use --retries '-1'"],
    [["--retries", "1", "--retry-delay", "soon"], "Cannot read duration 'soon'"],
    [["--retries", "1", "--retry-on", "exit,rain"], "Cannot use --retry-on 'rain': it must be one of exit, signal"],
    [["--retry-delay", "5s"], "Cannot use --retry-delay without --retries: give both"],
    [["--retry-on", "exit"], "Cannot use --retry-on without --retries: give both"],
    [["--time-zone", "UTC"], "Cannot use --time-zone without --schedule: give both"],
    [["--misfire", "skip"], "Cannot use --misfire without --schedule: give both"],
    [["--overlap", "skip"], "Cannot use --overlap without --schedule: give both"],
    [["--schedule", "1h", "--time-zone", "Mars/Base"], "Cannot use --time-zone 'Mars/Base': it must be an IANA name"],
    [["--schedule", "1h", "--time-zone", "+02:00"], "Cannot use --time-zone '+02:00'"],
    [
      ["--schedule", "1h", "--misfire", "toString"],
      "Cannot use --misfire 'toString': it must be one of run-once, skip",
    ],
    [
      ["--schedule", "1h", "--overlap", "maybe"],
      "Cannot use --overlap 'maybe': it must be one of allow, skip, replace",
    ],
  ] as const
) {
  Deno.test(`run refuses '${words.join(" ")}' in one line with exit code 2`, async () => {
    const cli = fakeCli({
      runJob: () => {
        throw new Error("started");
      },
    });
    assert.equal(await cli.run("run", ...words, "x"), 2);
    assert.match(cli.err(), /^joblet: [^\n]*\n$/);
    assert(cli.err().includes(message), cli.err());
  });
}
