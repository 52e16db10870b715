import assert from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  EndReason,
  JobSchema,
  JobState,
  MisfirePolicy,
  OverlapPolicy,
  RetryOn,
} from "../../proto/gen/joblet/v1/job_pb.ts";
import { jobJson } from "./job_json.ts";
import { usageJson } from "./usage.ts";
import { jobDetails, jobRow } from "./job_view.ts";

const at = (clock: string) => timestampFromDate(new Date(`2026-03-01T${clock}Z`));
const make = (job: MessageInitShape<typeof JobSchema>) => create(JobSchema, job);
const details = (job: MessageInitShape<typeof JobSchema>) => Object.fromEntries(jobDetails(make(job), false));

const RECURRING = {
  id: "0fb570a0-6753-4486-b3e5-9e84cd0a03ca",
  state: JobState.SCHEDULED,
  scheduledAt: at("07:30:00"),
  attempt: 1,
  spec: {
    command: "x",
    labels: { team: "red", app: "web" },
    priority: -5,
    schedule: { when: "30 7 * * *", timeZone: "Europe/Berlin", overlap: OverlapPolicy.SKIP },
  },
};

const RETRIED = {
  state: JobState.RUNNING,
  startedAt: at("07:31:00"),
  attempt: 3,
  scheduledBy: "77b1",
  spec: {
    command: "x",
    retry: { limit: 3, delay: durationFromMs(90_000), on: [RetryOn.EXIT, RetryOn.OUT_OF_MEMORY] },
  },
  earlierAttempts: [
    {
      endReason: EndReason.EXITED,
      exitCode: 3,
      startedAt: at("07:30:00"),
      endedAt: at("07:30:02.5"),
      usage: { memoryPeakBytes: 7n },
    },
    { endReason: EndReason.LOST },
  ],
};

Deno.test("jobJson tells of labels, priority and schedule, with the policies' defaults by name", () => {
  const { labels, priority, schedule, scheduled_time, status, scheduled_by } = jobJson(make(RECURRING));
  assert.deepEqual(labels, { team: "red", app: "web" });
  assert.deepEqual(schedule, {
    when: "30 7 * * *",
    time_zone: "Europe/Berlin",
    misfire: "run-once",
    overlap: "skip",
  });
  assert.deepEqual(
    [priority, scheduled_time, status, scheduled_by],
    [-5, "2026-03-01T07:30:00.000Z", "SCHEDULED", null],
  );
});

Deno.test("jobJson tells of retries and of the attempts before", () => {
  const json = jobJson(make(RETRIED));
  assert.deepEqual(
    [json["retries"], json["retry_delay_seconds"], json["retry_on"], json["attempt"], json["scheduled_by"]],
    [3, 90, ["exit", "oom"], 3, "77b1"],
  );
  const none = usageJson(undefined);
  assert.deepEqual(json["attempts"], [
    {
      attempt: 1,
      reason: "EXITED",
      exit_code: 3,
      signal: null,
      start_time: "2026-03-01T07:30:00.000Z",
      end_time: "2026-03-01T07:30:02.500Z",
      usage: { ...none, memory_peak_bytes: 7 },
    },
    { attempt: 2, reason: "LOST", exit_code: null, signal: null, start_time: null, end_time: null, usage: none },
  ]);
});

Deno.test("jobJson has every key also for a job that is nothing but its id, and is JSON", () => {
  const json = JSON.parse(JSON.stringify(jobJson(make({ id: "a" }))));
  const { labels, priority, retries, retry_delay_seconds, retry_on, schedule, scheduled_time, attempts } = json;
  assert.deepEqual([labels, priority, retries, retry_delay_seconds, retry_on], [{}, 0, 0, null, []]);
  assert.deepEqual([schedule, scheduled_time, attempts], [null, null, []]);
  assert.deepEqual([json.waiting_for, json.scheduled_by, json.end_detail], [null, null, null]);
});

Deno.test("jobDetails tells of a recurring job", () => {
  const lines = details(RECURRING);
  assert.equal(lines["Labels"], "app=web, team=red");
  assert.equal(lines["Priority"], "-5");
  assert.equal(lines["Next run"], "2026-03-01T07:30:00.000Z");
  assert.equal(lines["Schedule"], "30 7 * * * (Europe/Berlin); missed: run-once, overlapping: skip");
  assert.equal(lines["Attempt"], undefined);
});

Deno.test("jobDetails tells of a job that runs once, later", () => {
  const spec = { schedule: { when: "2026-03-01 07:30", misfire: MisfirePolicy.SKIP } };
  const lines = details({ state: JobState.SCHEDULED, scheduledAt: at("07:30:00"), spec });
  assert.equal(lines["Scheduled for"], "2026-03-01T07:30:00.000Z");
  assert.equal(lines["Schedule"], "2026-03-01 07:30 (UTC)");
});

Deno.test("jobDetails tells which attempt this is, of how many, and how the earlier ones ended", () => {
  const lines = details(RETRIED);
  assert.equal(lines["Attempt"], "3 of at most 4");
  assert.equal(lines["Attempt 1"], "exit code 3 (EXITED), ran 2.5s until 2026-03-01T07:30:02.500Z");
  assert.equal(lines["Attempt 2"], "LOST");
  assert.equal(lines["Retries"], "3, 1m30s apart, after exit, oom");
  assert.equal(lines["Run of"], "77b1");
  assert.equal(lines["Priority"], undefined);
});

Deno.test("jobDetails tells what a job waits for and why one is lost, without control characters", () => {
  assert.equal(details({ state: JobState.PENDING, waitingFor: "2 GiB\x1b" })["Waiting for"], "2 GiB\\u{1b}");
  assert.equal(details({ state: JobState.LOST, endDetail: "a\nb" })["Detail"], "a\\u{a}b");
  assert.equal(details({ spec: { labels: { a: "\x1b" } } })["Labels"], "a=\\u{1b}");
});

const STARTED = 4;
const TIME = 5;

Deno.test("jobRow shows in how long a scheduled job is due", () => {
  const due = (now: string) => jobRow(make(RECURRING), false, Date.parse(`2026-03-01T${now}Z`))[STARTED];
  assert.deepEqual(["05:00:00", "07:29:30", "07:30:00", "07:45:00"].map(due), ["in 2h30m", "in 30s", "now", "now"]);
});

Deno.test("jobRow shows no start and no time of a job that waits, whatever its last attempt left", () => {
  for (const state of [JobState.PENDING, JobState.SCHEDULED]) {
    const row = jobRow(make({ state, startedAt: at("07:00:00") }), false);
    assert.deepEqual([row[STARTED], row[TIME]], ["", ""]);
  }
  const row = jobRow(make({ ...RETRIED }), false, Date.parse("2026-03-01T07:32:00Z"));
  assert.deepEqual([row[STARTED], row[TIME]], ["2026-03-01 07:31:00", "1m"]);
});

Deno.test("secrets are told by name, for people and for programs", () => {
  const spec = {
    command: "x",
    env: { MODE: "a" },
    secretEnv: { B: "", A: "" },
    secretFiles: { "tls.key": new Uint8Array() },
  };
  const lines = jobDetails(make({ spec }), false).filter(([label]) => /Env|Secret/.test(label));
  assert.deepEqual(lines, [
    ["Environment", "MODE=a"],
    ["Secret", "B"],
    ["Secret", "A"],
    ["Secret file", "/run/secrets/tls.key"],
  ]);
  const { env, secret_env, secret_files } = jobJson(make({ spec }));
  assert.deepEqual([env, secret_env, secret_files], [{ MODE: "a" }, ["B", "A"], ["tls.key"]]);
  assert.deepEqual(jobJson(make({}))["secret_env"], []);
});
