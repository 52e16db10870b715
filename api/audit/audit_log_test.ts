import assert from "node:assert/strict";
import { AuditLog, type AuditLogOptions } from "./audit_log.ts";
import { queryAudit } from "./query.ts";
import type { AuditRecord, CallEntry } from "./record.ts";
import { type AppendFile, openAppendFile, type OpenFile } from "./segment_file.ts";
import { verifyAudit } from "./verify.ts";

const MIB = 1024 * 1024;

function call(object: string): CallEntry {
  return {
    name: "ann",
    role: "user",
    serial: "01",
    method: "joblet.v1.JobService/RunJob",
    object,
    decision: "allowed",
    code: "OK",
    request: crypto.randomUUID(),
    peer: "127.0.0.1:1",
  };
}

interface Bench {
  readonly folder: string;
  readonly failures: unknown[];
  readonly recoveries: number[];
  open(options?: Partial<AuditLogOptions>): AuditLog;
  records(): Promise<AuditRecord[]>;
}

/** A folder for logs, which goes with the test. */
async function withBench(body: (bench: Bench) => Promise<void>): Promise<void> {
  const parent = await Deno.makeTempDir({ prefix: "joblet-audit-" });
  const [failures, recoveries]: [unknown[], number[]] = [[], []];
  const folder = `${parent}/audit`;
  const bench: Bench = {
    folder,
    failures,
    recoveries,
    open: (options = {}) =>
      AuditLog.open({
        folder,
        maxBytes: 1024 * MIB,
        onFailure: (error) => failures.push(error),
        onRecovery: (missing) => recoveries.push(missing),
        ...options,
      }),
    async records() {
      const lines = await Array.fromAsync(queryAudit(folder, {}));
      return lines.flatMap(({ record }) => record ? [record] : []);
    },
  };
  try {
    await body(bench);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

/** What an entry is about, or what an event tells. */
function brief(record: AuditRecord): string {
  if (!("event" in record)) return record.object ?? "";
  if (record.event === "gap") return `gap ${record.missing}`;
  return record.event === "torn" ? `torn ${record.bytes}` : `removed ${record.through}`;
}

/** A disk that takes `room` bytes more; what does not fit is written in part, as a kernel does. */
class FullDisk {
  room = Infinity;
  code = "ENOSPC";
  /** Whether what was written in part can be taken back. */
  truncates = true;

  readonly openFile: OpenFile = (path, onError): AppendFile => {
    const file = openAppendFile(path, onError);
    return {
      get size() {
        return file.size;
      },
      append: (bytes) => {
        if (bytes.length <= this.room) {
          this.room -= bytes.length;
          return file.append(bytes);
        }
        if (!this.truncates) Deno.writeFileSync(path, bytes.subarray(0, this.room), { append: true });
        this.room = 0;
        throw Object.assign(new Error("No space left on device (os error 28)"), { code: this.code });
      },
      close: () => file.close(),
    };
  };
}

Deno.test("AuditLog chains records across writers, in private files, and goes on behind what is there", async () => {
  await withBench(async (bench) => {
    for (const objects of [["a", "b"], ["c"], []]) {
      const log = bench.open();
      for (const object of objects) log.record(call(object));
      await log.close();
    }
    assert.deepEqual((await bench.records()).map(({ seq }) => seq), [1, 2, 3]);
    assert.deepEqual((await bench.records()).map(brief), ["a", "b", "c"]);
    const { records, first, head, broken } = await verifyAudit(bench.folder);
    assert.deepEqual([records, first, head.seq, broken], [3, 1, 3, undefined]);
    assert.equal(Deno.statSync(bench.folder).mode! & 0o777, 0o700);
    assert.equal(Deno.statSync(`${bench.folder}/audit-000000000001.jsonl`).mode! & 0o777, 0o600);
    assert.deepEqual([bench.failures, bench.recoveries], [[], []]);
  });
});

Deno.test("AuditLog tightens the modes of a folder and a file that were opened to others", async () => {
  await withBench(async (bench) => {
    await bench.open().close();
    const file = `${bench.folder}/audit-000000000001.jsonl`;
    Deno.chmodSync(bench.folder, 0o755);
    Deno.chmodSync(file, 0o644);
    await bench.open().close();
    assert.deepEqual([bench.folder, file].map((path) => Deno.statSync(path).mode! & 0o777), [0o700, 0o600]);
  });
});

Deno.test("AuditLog makes each record one line that is there when record returns", async () => {
  await withBench(async (bench) => {
    const log = bench.open();
    const file = `${bench.folder}/audit-000000000001.jsonl`;
    for (let count = 1; count <= 3; count++) {
      log.record(call("x\ny\u2028"));
      assert.equal(Deno.readTextFileSync(file).split("\n").length - 1, count);
    }
    await log.close();
    assert.equal((await verifyAudit(bench.folder)).records, 3);
  });
});

Deno.test("AuditLog goes on behind a record that was cut short at any byte, and tells how much of it there is", async () => {
  await withBench(async (bench) => {
    const first = bench.open();
    first.record(call("a"));
    first.record(call("b"));
    await first.close();
    const file = `${bench.folder}/audit-000000000001.jsonl`;
    const whole = Deno.readFileSync(file);
    const second = whole.indexOf(0x0a) + 1;
    for (let length = second; length < whole.length; length++) {
      Deno.writeFileSync(file, whole.subarray(0, length));
      const before = await verifyAudit(bench.folder);
      assert.equal(before.broken, undefined);
      const log = bench.open();
      log.record(call("c"));
      await log.close();
      const missing = length - second;
      const told = missing === 0 ? ["a", "c"] : ["a", `torn ${missing}`, "c"];
      // Only the newline is missing: the record is whole.
      const expected = length === whole.length - 1 ? ["a", "b", "c"] : told;
      assert.deepEqual((await bench.records()).map(brief), expected, `cut at ${length}`);
      const check = await verifyAudit(bench.folder);
      assert.deepEqual([check.broken, check.torn], [undefined, expected.length === 3 && expected[1] !== "b" ? 1 : 0]);
    }
  });
});

Deno.test("AuditLog starts new segments and removes the oldest, telling so, within its bound", async () => {
  await withBench(async (bench) => {
    const maxBytes = 16_000;
    const log = bench.open({ maxBytes });
    for (let count = 0; count < 200; count++) {
      log.record(call(`job ${count}`));
      const sizes = [...Deno.readDirSync(bench.folder)].map(({ name }) =>
        Deno.statSync(`${bench.folder}/${name}`).size
      );
      assert(sizes.reduce((sum, size) => sum + size, 0) <= maxBytes);
    }
    await log.close();
    const names = [...Deno.readDirSync(bench.folder)].map(({ name }) => name).sort();
    assert(names.length >= 3, names.join());
    const { first, records, head, broken } = await verifyAudit(bench.folder);
    assert(first > 1 && broken === undefined);
    assert.equal(records, head.seq - first + 1);
    assert.equal(names[0], `audit-${String(first).padStart(12, "0")}.jsonl`);
    const told = (await bench.records()).map(brief);
    assert.equal(told.findLast((text) => text.startsWith("removed")), `removed ${first - 1}`);
    assert.equal(told.at(-1), "job 199");

    await Deno.remove(`${bench.folder}/${names[0]}`);
    const cut = await verifyAudit(bench.folder);
    assert.match(cut.broken?.reason ?? "", /are gone, and no record tells that the server removed them/);
    await Deno.remove(`${bench.folder}/${names[2]}`);
    assert.match((await verifyAudit(bench.folder)).broken?.reason ?? "", /are gone/);
  });
});

for (const truncates of [true, false]) {
  const left = truncates ? "nothing" : "a part";
  Deno.test(`AuditLog on a full disk that leaves ${left} of a record refuses what starts work, counts, and tells the gap`, async () => {
    await withBench(async (bench) => {
      const disk = new FullDisk();
      disk.truncates = truncates;
      const log = bench.open({ openFile: disk.openFile });
      log.record(call("a"));
      log.assertWritable();
      disk.room = 40;
      log.record(call("lost"));
      assert.throws(() => log.assertWritable(), {
        kind: "exhausted",
        message: "Cannot start or arrange anything while the server's audit log can't be written: " +
          "its disk is full; make room on it",
      });
      log.record(call("lost too"));
      assert.deepEqual([bench.failures.length, bench.recoveries], [1, []], "told once");
      disk.room = Infinity;
      log.assertWritable();
      log.record(call("b"));
      await log.close();
      assert.deepEqual(bench.recoveries, [2]);
      const torn = truncates ? [] : ["torn 40"];
      assert.deepEqual((await bench.records()).map(brief), ["a", ...torn, "gap 2", "b"]);
      const check = await verifyAudit(bench.folder);
      assert.deepEqual([check.broken, check.missing, check.torn], [undefined, 2, torn.length]);
    });
  });
}

Deno.test("AuditLog tells of a gap at its end too, and of other errors as unavailable", async () => {
  await withBench(async (bench) => {
    const disk = new FullDisk();
    disk.code = "EROFS";
    const log = bench.open({ openFile: disk.openFile });
    disk.room = 0;
    log.record(call("lost"));
    assert.throws(() => log.assertWritable(), {
      kind: "unavailable",
      message: /its disk fails; the server's log says how/,
    });
    disk.room = Infinity;
    await log.close();
    assert.deepEqual((await bench.records()).map(brief), ["gap 1"]);
  });
});

Deno.test("AuditLog opens where nothing can be written, and works once it can", async () => {
  await withBench(async (bench) => {
    await Deno.writeTextFile(bench.folder, "in the way");
    const log = bench.open();
    assert.equal(bench.failures.length, 1);
    assert.throws(() => log.assertWritable(), { kind: "unavailable" });
    await Deno.remove(bench.folder);
    log.assertWritable();
    log.record(call("a"));
    await log.close();
    assert.deepEqual((await bench.records()).map(brief), ["a"]);
    assert.deepEqual([bench.failures.length, bench.recoveries], [1, [0]]);
  });
});

Deno.test("queryAudit finds by time, caller, method, object and decision, and the last so many", async () => {
  await withBench(async (bench) => {
    let now = 1000;
    const log = bench.open({ maxBytes: 8000, now: () => now++ });
    log.record({ ...call("a1"), name: "bob" });
    log.record({ ...call("a2"), method: "joblet.v1.JobService/StopJob" });
    const { name: _, role: __, serial: ___, ...anonymous } = call("b");
    log.record({ ...anonymous, claimed_name: "eve", decision: "denied", code: "UNAUTHENTICATED" });
    log.record(call("c"));
    await log.close();
    await Deno.writeTextFile(`${bench.folder}/audit-000000000001.jsonl`, "no record\n", { append: true });
    const found = async (query: Parameters<typeof queryAudit>[1]) =>
      (await Array.fromAsync(queryAudit(bench.folder, query))).map(({ text, record }) => record ? brief(record) : text);
    const odd = "no record";
    assert.deepEqual(await found({ sinceMs: 1001, untilMs: 1003 }), ["a2", "b", odd]);
    assert.deepEqual(await found({ name: "bob" }), ["a1", odd]);
    assert.deepEqual(await found({ name: "eve" }), ["b", odd]);
    assert.deepEqual(await found({ method: "StopJob" }), ["a2", odd]);
    assert.deepEqual(await found({ method: "joblet.v1.JobService/StopJob" }), ["a2", odd]);
    assert.deepEqual(await found({ method: "Job" }), [odd]);
    assert.deepEqual(await found({ denied: true }), ["b", odd]);
    assert.deepEqual(await found({ object: "a" }), ["a1", "a2", odd]);
    assert.deepEqual(await found({ object: "a", tail: 2 }), ["a1", "a2"]);
  });
});
