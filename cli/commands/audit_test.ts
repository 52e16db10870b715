import assert from "node:assert/strict";
import type { AuditCheck, AuditLine, AuditQuery, AuditRecord } from "../host.ts";
import { fakeCli, type FakeOptions } from "../testing/fake_cli.ts";

const HASH = "ab".repeat(32);

const CALL: AuditRecord = {
  seq: 1,
  time: "2026-03-01T07:30:00.000Z",
  name: "ann",
  role: "user",
  method: "joblet.v1.JobService/RunJob",
  object: "3f2a",
  decision: "allowed",
  code: "OK",
  peer: "127.0.0.1:5",
};

function cliOf(records: readonly (AuditRecord | undefined)[], more: Partial<FakeOptions> = {}) {
  const queries: AuditQuery[] = [];
  const lines = records.map((record): AuditLine => record ? { text: JSON.stringify(record), record } : { text: "?" });
  const cli = fakeCli({}, {
    host: {
      auditLines: (_, query) => {
        queries.push(query);
        return Promise.resolve(ReadableStream.from(lines));
      },
      auditHead: () => Promise.resolve({ seq: 7, hash: HASH }),
    },
    ...more,
  });
  return { cli, queries };
}

Deno.test("audit prints a table of calls, claims and what the log tells of itself, free of control characters", async () => {
  const time = CALL.time;
  const { cli } = cliOf([
    CALL,
    {
      seq: 2,
      time,
      claimed_name: "eve",
      method: "m/M",
      decision: "denied",
      code: "UNAUTHENTICATED",
      object: "a\x1b[2J",
    },
    { seq: 3, time, event: "gap", missing: 2 },
    { seq: 4, time, event: "torn", bytes: 9 },
    { seq: 5, time, event: "removed", through: 1 },
    undefined,
  ]);
  assert.equal(await cli.run("audit"), 0);
  const rows = cli.out().split("\n").map((line) => line.split(/ {2,}/));
  assert.deepEqual(rows, [
    ["SEQ", "TIME", "NAME", "ROLE", "DECISION", "CODE", "PEER", "METHOD", "OBJECT"],
    ["1", time, "ann", "user", "allowed", "OK", "127.0.0.1:5", "joblet.v1.JobService/RunJob", "3f2a"],
    ["2", time, "eve (claimed)", "-", "denied", "UNAUTHENTICATED", "-", "m/M", "a\\u{1b}[2J"],
    ["3", time, "-", "-", "gap", "-", "-", "-", "calls without a record, as nothing could be written: 2"],
    ["4", time, "-", "-", "torn", "-", "-", "-", "the line before was cut short at 9 bytes"],
    ["5", time, "-", "-", "removed", "-", "-", "-", "records up to 1 were removed, as the log was full"],
    [""],
  ]);
  assert.equal(cli.err(), "joblet: lines that are no records were left out: 1; see 'joblet audit verify'\n");
});

Deno.test("audit hands its flags on, and prints the stored lines with --json", async () => {
  const { cli, queries } = cliOf([CALL]);
  const since = ["--since", "2026-03-01T07:00:00Z", "--until", "2026-03-01T08:00:00Z"];
  const flags = ["--name", "ann", "--method", "RunJob", "--object", "3f", "--denied", "--tail", "5", "--json"];
  assert.equal(await cli.run("audit", ...since, ...flags), 0);
  assert.equal(cli.out(), `${JSON.stringify(CALL)}\n`);
  assert.deepEqual(queries, [{
    sinceMs: Date.UTC(2026, 2, 1, 7),
    untilMs: Date.UTC(2026, 2, 1, 8),
    name: "ann",
    method: "RunJob",
    object: "3f",
    denied: true,
    tail: 5,
  }]);
  for (const wrong of [["--since", "soon"], ["--tail", "0"], ["--who"], ["x"]]) {
    assert.equal(await cli.run("audit", ...wrong), 2, wrong.join());
  }
});

Deno.test("audit prints all of many records in batches, with one head of the table", async () => {
  const { cli } = cliOf(Array.from({ length: 1234 }, (_, at) => ({ ...CALL, seq: at + 1 })));
  assert.equal(await cli.run("audit"), 0);
  const lines = cli.out().trimEnd().split("\n");
  assert.equal(lines.length, 1235);
  assert.equal(lines.filter((line) => line.startsWith("SEQ")).length, 1);
});

Deno.test("audit ends quietly when its reader has gone, and --head prints a line to keep", async () => {
  const gone = cliOf([CALL], {
    host: { auditLines: () => Promise.resolve(ReadableStream.from([{ text: "{}", record: CALL }])) },
    onOut: () => {
      throw new Deno.errors.BrokenPipe();
    },
  });
  assert.equal(await gone.cli.run("audit"), 141);
  assert.equal(gone.cli.err(), "");
  const { cli } = cliOf([]);
  assert.equal(await cli.run("audit", "--head"), 0);
  assert.equal(cli.out(), `7:${HASH}\n`);
});

const INTACT: AuditCheck = {
  records: 9,
  first: 1,
  head: { seq: 9, hash: HASH },
  torn: 0,
  missing: 0,
  unfinishedBytes: 0,
};

const CHECKS: readonly [Partial<AuditCheck>, number, string, string][] = [
  [{}, 0, `9 records, 1 to 9, chain intact, head 9:${HASH}\n`, ""],
  [{ records: 0, first: 0 }, 0, "no records\n", ""],
  [
    { first: 4, records: 6, torn: 1, missing: 2, unfinishedBytes: 3 },
    0,
    `6 records, 4 to 9, chain intact, head 9:${HASH}\n` +
    "records before 4 were removed, as the log was full\n" +
    "lines that were cut short by a crash, as the records behind them tell: 1\n" +
    "calls without a record, as the log could not be written: 2\n" +
    "an unfinished line at the end: 3 bytes\n",
    "",
  ],
  [
    { broken: { file: "/a/audit-000000000001.jsonl", line: 10, reason: "record 10 is gone before this one, 11" } },
    1,
    "",
    "joblet: Cannot trust the audit log: /a/audit-000000000001.jsonl: line 10: record 10 is gone before this one, 11; " +
    "records 1 to 9 are intact\n",
  ],
  [
    { records: 0, broken: { file: "", line: 0, reason: "the log ends" } },
    1,
    "",
    "joblet: Cannot trust the audit log: the log ends; nothing before it is proven\n",
  ],
];

for (const [change, code, out, err] of CHECKS) {
  Deno.test(`audit verify of ${JSON.stringify(change)} ends with ${code} and says so`, async () => {
    const cli = fakeCli({}, { host: { auditCheck: () => Promise.resolve({ ...INTACT, ...change }) } });
    assert.equal(await cli.run("audit", "verify"), code);
    assert.deepEqual([cli.out(), cli.err()], [out, err]);
  });
}

Deno.test("audit verify takes an expected head, and --json prints all that was found", async () => {
  const expected: unknown[] = [];
  const cli = fakeCli({}, {
    host: {
      auditCheck: (_, head) => {
        expected.push(head);
        return Promise.resolve({ ...INTACT, broken: { file: "f", line: 1, reason: "r" } });
      },
    },
  });
  assert.equal(await cli.run("audit", "verify", "--expect-head", `7:${HASH}`, "--json"), 1);
  assert.deepEqual(expected, [{ seq: 7, hash: HASH }]);
  assert.equal(JSON.parse(cli.out()).records, 9);
  assert.equal(await cli.run("audit", "verify", "--expect-head", "7:x"), 2);
});
