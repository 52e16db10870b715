import assert from "node:assert/strict";
import fc from "fast-check";
import { EXIT, JournalFixture, output, textOf } from "./_journal_fixture.ts";
import { readOutcome } from "./last_frame.ts";
import type { JournalBatch, LogPiece } from "./log.ts";
import { turn } from "./turn.ts";

const T0 = 10n ** 18n;
const LINE = "0123456789abcdef";

function pieces(batches: readonly JournalBatch[]): LogPiece[] {
  return batches.flatMap((batch) => batch.pieces);
}

/** What is missing: stream and bytes. */
function gaps(batches: readonly JournalBatch[]) {
  return pieces(batches).filter((piece) => piece.missingBytes > 0).map((piece) => [piece.stream, piece.missingBytes]);
}

/** "started", then 20 lines of 16 bytes, every fourth to stderr; @returns where each begins */
function writeLines(journal: JournalFixture): number[] {
  journal.append({ type: "started" });
  return journal.append(...Array.from({ length: 20 }, (_, i) => output(LINE, i % 4 === 3 ? "stderr" : "stdout")));
}

Deno.test("streamJournal from the start tells what was removed of each stream asked for and goes on behind it", async () => {
  using journal = new JournalFixture();
  const offsets = writeLines(journal);
  journal.trim(offsets[8]!);
  journal.append(EXIT);
  const batches = await journal.read();
  assert.deepEqual(gaps(batches), [["stdout", 96], ["stderr", 32]]);
  assert.deepEqual(pieces(batches).slice(0, 3).map(({ offset }) => offset), [64, 64, offsets[8]]);
  assert.equal(pieces(batches)[0]!.timeNs, T0 + 8n, "the time of the last that is gone");
  assert.equal(textOf(batches), LINE.repeat(12));
  assert.deepEqual(gaps(await journal.read({ streams: ["stderr"] })), [["stderr", 32]]);
  assert.equal(batches.at(-1)?.end, true);
});

Deno.test("streamJournal counts the bytes of removed gap frames as removed", async () => {
  using journal = new JournalFixture();
  journal.append(
    output(LINE),
    { type: "gap", stream: "stderr", reason: "unwritten", missingBytes: 5000, errno: 28 },
    output("kept"),
  );
  journal.trim(journal.offset - 1);
  assert.deepEqual(gaps(await journal.read()), [["stdout", 16], ["stderr", 5000]]);
});

Deno.test("streamJournal that has passed the start is told exactly what is removed before it gets there", async () => {
  using journal = new JournalFixture();
  writeLines(journal);
  const stream = journal.stream({ follow: true });
  const first = [(await stream.next()).value!];
  const more = journal.append(output("a"), output("bc", "stderr"), output("d"));
  journal.trim(more[2]!);
  journal.append(EXIT);
  const rest = await Array.fromAsync(stream);
  assert.equal(textOf(first), LINE.repeat(20));
  assert.deepEqual(gaps(rest), [["stdout", 1], ["stderr", 2]]);
  assert.equal(textOf(rest), "d");
});

Deno.test("streamJournal resumed where output was removed is told at most the journal's bytes that are gone", async () => {
  using journal = new JournalFixture();
  const offsets = writeLines(journal);
  journal.append(EXIT);
  journal.trim(offsets[10]!);
  for (const offset of [88, ...offsets.slice(0, 10), offsets[3]! + 5]) {
    const batches = await journal.read({ offset });
    assert.deepEqual(gaps(batches), [["stdout", offsets[10]! - offset]], `from ${offset}`);
    assert.equal(textOf(batches), LINE.repeat(10));
  }
  assert.deepEqual(gaps(await journal.read({ offset: offsets[10]! })), []);
});

Deno.test("streamJournal looks again when it meets a removed frame that is half written", async () => {
  using journal = new JournalFixture();
  writeLines(journal);
  const stream = journal.stream();
  const old = Deno.readFileSync(journal.path).slice(64, 120);
  journal.trim(journal.offset - 200);
  const whole = Deno.readFileSync(journal.path).slice(64, 120);
  journal.overwrite(64 + 30, old.subarray(30));
  const next = stream.next();
  await turn();
  await turn();
  journal.overwrite(64, whole);
  const batches = [(await next).value!, ...await Array.fromAsync(stream)];
  const { stdoutBytes, stderrBytes } = journal.removed;
  assert.deepEqual(gaps(batches), [["stdout", stdoutBytes], ["stderr", stderrBytes]]);
});

Deno.test("streamJournal skips to the first whole frame if the removed frame is damaged for good", async () => {
  using journal = new JournalFixture();
  const offsets = writeLines(journal);
  journal.append(EXIT);
  journal.trim(offsets[10]!);
  journal.flip(70);
  const batches = await journal.read();
  assert.deepEqual(gaps(batches), [["stdout", offsets[10]! - 64]]);
  assert.equal(textOf(batches), LINE.repeat(10));
});

Deno.test("readOutcome knows the start's and the timeout's frames when they are removed", async () => {
  using journal = new JournalFixture();
  writeLines(journal);
  journal.append({ type: "timeout" }, output("a"), output("b"));
  journal.trim(journal.offset - 1);
  const open = { kind: "open", started: true, startedNs: T0, timeout: true, validEnd: journal.offset, torn: false };
  assert.deepEqual(await readOutcome(journal.path), open);
  journal.append(EXIT);
  for (const trustTail of [false, true]) {
    const outcome = await readOutcome(journal.path, { trustTail });
    assert(outcome.kind === "exited" && outcome.startedNs === T0);
  }
});

/** A step of the writer: a frame of so many bytes, or the removal of this share of what is there. */
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ bytes: fc.integer({ min: 1, max: 3000 }), stderr: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ trim: fc.double({ min: 0, max: 1, noNaN: true }) }) },
  { weight: 1, arbitrary: fc.constant("turn" as const) },
);

Deno.test("streamJournal tells or gives every byte, in order, wherever output is removed under its readers", async () => {
  const stops = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), stops, async (steps, stops) => {
      using journal = new JournalFixture();
      const written = { stdout: "", stderr: "" };
      const write = async () => {
        journal.append({ type: "started" });
        for (const [i, step] of steps.entries()) {
          if (step === "turn") await turn();
          else if ("trim" in step) journal.trim(64 + step.trim * (journal.offset - 64));
          else {
            const text = `${i};`.repeat(step.bytes).slice(0, step.bytes);
            written[step.stderr ? "stderr" : "stdout"] += text;
            journal.append(output(text, step.stderr ? "stderr" : "stdout"));
          }
        }
        journal.append(EXIT);
      };
      const [, exact, resumed] = await Promise.all([write(), follow(journal, []), follow(journal, stops)]);
      for (const stream of ["stdout", "stderr"] as const) {
        assert.equal(exact[stream].length, written[stream].length);
        assert(fits(exact[stream], written[stream]));
        // Its gaps are upper bounds, so only what it got is compared: parts of what was written, in order.
        let at = 0;
        for (const part of resumed[stream].split(/\0+/)) {
          const found = written[stream].indexOf(part, at);
          assert(found >= 0, `${part.length} bytes that were not written`);
          at = found;
        }
      }
      assert.equal(journal.subscriptions, 0);
    }),
    { numRuns: 200 },
  );
});

/** Whether the text is the other but for the places of gaps. */
function fits(text: string, whole: string): boolean {
  for (let i = 0; i < text.length; i++) if (text[i] !== "\0" && text[i] !== whole[i]) return false;
  return true;
}

/** Follows to the end, coming back with the last offset after as many batches as `stops` says. Zeros stand for gaps. */
async function follow(journal: JournalFixture, stops: readonly number[]) {
  const received = { stdout: "", stderr: "" };
  let offset = 0;
  for (const stop of [...stops, Infinity]) {
    const abort = new AbortController();
    let batches = 0;
    for await (const batch of journal.stream({ follow: true, offset, signal: abort.signal })) {
      for (const { stream, data, missingBytes } of batch.pieces) {
        received[stream] += new TextDecoder().decode(data) + "\0".repeat(missingBytes);
      }
      offset = batch.nextOffset;
      if (batch.end) return received;
      if (++batches >= stop) abort.abort();
    }
  }
  throw new Error("The stream ended before its end");
}
