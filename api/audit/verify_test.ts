import assert from "node:assert/strict";
import { type AuditEntry, formatLine, type Head, START } from "./record.ts";
import { segmentPath } from "./segments.ts";
import { type AuditCheck, verifyAudit } from "./verify.ts";

const decoder = new TextDecoder();

/** Lines of a chain, without newlines. */
function chain(
  count: number,
  from: Head = START,
  entryOf = (seq: number): AuditEntry => entry(`job ${seq}`),
): string[] {
  const lines: string[] = [];
  for (let head = from; lines.length < count;) {
    const made = formatLine(entryOf(head.seq + 1), head, 1000);
    lines.push(decoder.decode(made.line).trimEnd());
    head = made.head;
  }
  return lines;
}

function entry(object: string): AuditEntry {
  const call = {
    method: "joblet.v1.JobService/StopJob",
    decision: "allowed",
    code: "OK",
    request: "r",
    peer: "p",
  } as const;
  return { name: "ann", role: "user", serial: "01", ...call, object };
}

function headOf(line: string): Head {
  const { seq, hash } = JSON.parse(line) as Head;
  return { seq, hash };
}

/** Verifies segments, each of them lines, named by the first record that was in them. */
async function verify(segments: Readonly<Record<number, readonly string[]>>, expected?: Head): Promise<AuditCheck> {
  const folder = await Deno.makeTempDir({ prefix: "joblet-audit-" });
  try {
    for (const [first, lines] of Object.entries(segments)) {
      await Deno.writeTextFile(segmentPath(folder, Number(first)), lines.map((line) => `${line}\n`).join(""));
    }
    return await verifyAudit(folder, expected);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const LINES = chain(9);
const three = (change: (lines: string[][]) => void) => {
  const parts = [LINES.slice(0, 3), LINES.slice(3, 6), LINES.slice(6)];
  change(parts);
  return { 1: parts[0]!, 4: parts[1]!, 7: parts[2]! };
};

Deno.test("verifyAudit proves an intact chain over several segments, and an empty log", async () => {
  const whole = await verify(three(() => {}));
  assert.deepEqual([whole.records, whole.first, whole.head, whole.broken], [9, 1, headOf(LINES[8]!), undefined]);
  const empty = await verify({});
  assert.deepEqual([empty.records, empty.first, empty.broken], [0, 0, undefined]);
});

const TAMPERED: readonly [string, (parts: string[][]) => void, number, RegExp][] = [
  ["a record removed in the middle", (parts) => parts[1]!.splice(1, 1), 2, /^record 5 is gone before this one, 6$/],
  ["the first record removed", (parts) => parts[0]!.shift(), 1, /^records 1 to 1 are gone, and no record tells/],
  ["the last record of an inner segment removed", (parts) => parts[1]!.pop(), 1, /^record 6 is gone/],
  ["two records swapped", (parts) => parts[0]!.reverse(), 2, /^record 2 stands where 4 belongs$/],
  ["a record repeated", (parts) => parts[1]!.push(parts[1]![2]!), 4, /^record 6 stands where 7 belongs$/],
  ["a segment emptied", (parts) => parts[1]!.splice(0), 1, /^records 4 to 6 are gone before this one, 7$/],
  ["a line put in", (parts) => parts[1]!.splice(1, 0, "{}"), 2, /not as it was written/],
  ["a line put in at the end", (parts) => parts[2]!.push("{}"), 4, /not as it was written/],
  [
    "a member put in",
    (parts) => void (parts[0]![1] = parts[0]![1]!.replace("{", '{"a":1,')),
    2,
    /not as it was written/,
  ],
  [
    "a record of another chain",
    (parts) => void (parts[1]![1] = chain(5, START, () => entry("other"))[4]!),
    2,
    /^record 5 does not follow the one before it$/,
  ],
  [
    "everything from one record on written anew over another past",
    (parts) => void (parts[2] = chain(3, { seq: 6, hash: "a".repeat(64) })),
    1,
    /^record 7 does not follow the one before it$/,
  ],
];

for (const [what, change, line, reason] of TAMPERED) {
  Deno.test(`verifyAudit names the place: ${what}`, async () => {
    const { broken } = await verify(three(change));
    assert.match(broken?.reason ?? "", reason);
    assert.equal(broken?.line, line);
  });
}

Deno.test("verifyAudit notices a change of any one byte", async () => {
  const folder = await Deno.makeTempDir({ prefix: "joblet-audit-" });
  try {
    const path = segmentPath(folder, 1);
    const bytes = new TextEncoder().encode(LINES.slice(0, 2).map((line) => `${line}\n`).join(""));
    // But the last newline: without it the last record could be one that is being written.
    for (let at = 0; at < bytes.length - 1; at++) {
      const changed = bytes.slice();
      changed[at]! ^= 1;
      await Deno.writeFile(path, changed);
      assert.ok((await verifyAudit(folder)).broken, `byte ${at}`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("verifyAudit takes a head that was kept for what must be there", async () => {
  const log = three(() => {});
  for (const line of [LINES[8]!, LINES[0]!]) assert.equal((await verify(log, headOf(line))).broken, undefined);
  const cut = await verify(three((parts) => parts[2]!.pop()), headOf(LINES[8]!));
  assert.match(cut.broken?.reason ?? "", /^the log ends with record 8: those up to 9 were cut off$/);
  const anew = chain(9, START, () => entry("other"));
  const forged = await verify({ 1: anew }, headOf(LINES[4]!));
  assert.match(forged.broken?.reason ?? "", /^record 5 is another than the expected head$/);
  const gone = await verify({}, headOf(LINES[4]!));
  assert.match(gone.broken?.reason ?? "", /^the log ends with record 0/);
});

Deno.test("verifyAudit takes the first record that is left for the anchor, if the log tells what was removed", async () => {
  const removed = chain(
    9,
    START,
    (seq) => seq === 8 ? { event: "removed", through: 3 } : entry(`job ${seq}`),
  );
  const { broken, first, records } = await verify({ 4: removed.slice(3) });
  assert.deepEqual([broken, first, records], [undefined, 4, 6]);
  const more = await verify({ 4: removed.slice(4) });
  assert.match(more.broken?.reason ?? "", /^records 1 to 4 are gone/);
  await assert.rejects(verify({ 4: removed.slice(3) }, headOf(removed[1]!)), {
    kind: "precondition",
    message: "Cannot check record 2: the log begins with record 4; keep its head more often",
  });
});

Deno.test("verifyAudit believes a torn line only if the next record tells its length and hash", async () => {
  const [first, second] = chain(2);
  const telling = (bytes: number, sha256: string) => {
    const torn: AuditEntry = { event: "torn", bytes, sha256 };
    return decoder.decode(formatLine(torn, headOf(first!), 1000).line).trimEnd();
  };
  const part = second!.slice(0, 20);
  const hash = "4b227777d4dd1fc61c6f884f48641d02b4d121d3fd328cb08b5531fcacdabf8a";
  const wrong = await verify({ 1: [first!, part, telling(20, hash)] });
  assert.match(wrong.broken?.reason ?? "", /not as it was written/);
  assert.equal(wrong.broken?.line, 2);
  const right = await verify({ 1: [first!, "4", telling(1, hash)] });
  assert.deepEqual([right.broken, right.torn, right.records], [undefined, 1, 2]);
});
