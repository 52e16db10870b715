import assert from "node:assert/strict";
import fc from "fast-check";
import { EngineError } from "../errors.ts";
import { EXIT, JournalFixture, output, textOf } from "./_journal_fixture.ts";
import type { JournalBatch, LogStreamName } from "./log.ts";

const T0 = 10n ** 18n;

function texts(batches: readonly JournalBatch[]): Record<LogStreamName, string> {
  const text = { stdout: "", stderr: "" };
  for (const piece of batches.flatMap((batch) => batch.pieces)) {
    text[piece.stream] += new TextDecoder().decode(piece.data);
  }
  return text;
}

function missing(batches: readonly JournalBatch[]): number[] {
  return batches.flatMap((batch) => batch.pieces).map((piece) => piece.missingBytes).filter((bytes) => bytes > 0);
}

Deno.test("streamJournal shows the last lines, also where frames end within them and the last has no newline", async () => {
  using journal = new JournalFixture();
  journal.append({ type: "started" }, output("a\nb"), output("b\ncc\nd"), output("d\n\nlast"), EXIT);
  const tail = async (tailLines: number) => textOf(await journal.read({ tailLines }));
  assert.deepEqual(await Promise.all([0, 1, 2, 3, 4, 5, 6, 7, 1_000_000].map(tail)), [
    "",
    "last",
    "\nlast",
    "dd\n\nlast",
    "cc\ndd\n\nlast",
    "bb\ncc\ndd\n\nlast",
    "a\nbb\ncc\ndd\n\nlast",
    "a\nbb\ncc\ndd\n\nlast",
    "a\nbb\ncc\ndd\n\nlast",
  ]);
  assert.deepEqual((await journal.read({ tailLines: 0 })).map(({ end, nextOffset }) => [end, nextOffset]), [
    [true, journal.offset],
  ]);
});

const frames = fc.array(
  fc.record({
    stream: fc.constantFrom<LogStreamName>("stdout", "stderr"),
    text: fc.string({ unit: fc.constantFrom("x", "y", "\n"), maxLength: 8 }),
  }),
  { maxLength: 25 },
);
const wanted = fc.constantFrom<LogStreamName[]>([], ["stdout"], ["stderr"]);

/** The last lines as a plain program finds them: all output as characters, each line known by its first. */
function lastLines(written: readonly { stream: LogStreamName; text: string }[], lines: number) {
  const starts: { stream: LogStreamName; at: number }[] = [];
  const all = { stdout: "", stderr: "" };
  for (const { stream, text } of written) {
    for (const char of text) {
      if (all[stream] === "" || all[stream].endsWith("\n")) starts.push({ stream, at: all[stream].length });
      all[stream] += char;
    }
  }
  const kept = lines === 0 ? [] : starts.slice(-lines);
  const from = (stream: LogStreamName) =>
    kept.find((start) => start.stream === stream)?.at ?? (lines < starts.length || lines === 0 ? Infinity : 0);
  return { stdout: all.stdout.slice(from("stdout")), stderr: all.stderr.slice(from("stderr")) };
}

Deno.test("streamJournal shows the last lines of the streams asked for, however they are mixed", async () => {
  await fc.assert(
    fc.asyncProperty(frames, fc.nat(30), wanted, fc.boolean(), async (written, tailLines, streams, ended) => {
      using journal = new JournalFixture();
      journal.append(...written.map(({ stream, text }) => output(text, stream)), ...(ended ? [EXIT] : []));
      const shown = written.filter(({ stream }) => streams.length === 0 || streams.includes(stream));
      assert.deepEqual(texts(await journal.read({ tailLines, streams })), lastLines(shown, tailLines));
    }),
    { numRuns: 500 },
  );
});

Deno.test("streamJournal following from the last lines goes on with all that comes, of both streams", async () => {
  using journal = new JournalFixture();
  journal.append(output("old\n"), output("error without an end", "stderr"), output("1\n2\n"));
  const stream = journal.stream({ follow: true, tailLines: 2 });
  assert.equal(textOf([(await stream.next()).value!]), "1\n2\n");
  const next = stream.next();
  journal.append(output("...", "stderr"));
  assert.deepEqual(texts([(await next).value!]), { stdout: "", stderr: "..." });
  journal.append(output("3\n"), EXIT);
  assert.equal(textOf(await Array.fromAsync(stream)), "3\n");
});

Deno.test("streamJournal tells what is missing among the last lines, and before them only if there are too few", async () => {
  using journal = new JournalFixture();
  const gap = { type: "gap", stream: "stdout", reason: "unwritten", errno: 28 } as const;
  const offsets = journal.append(output("removed\n".repeat(10)), { ...gap, missingBytes: 7 }, output("1\n2\n"), {
    ...gap,
    missingBytes: 9,
  }, output("3\n"));
  assert.deepEqual(missing(await journal.read({ tailLines: 2 })), [9]);
  assert.deepEqual(missing(await journal.read({ tailLines: 1 })), []);
  assert.deepEqual(missing(await journal.read({ tailLines: 4 })), [7, 9]);
  journal.trim(offsets[2]!);
  assert.deepEqual(missing(await journal.read({ tailLines: 3 })), [9]);
  assert.deepEqual(missing(await journal.read({ tailLines: 4 })), [87, 9]);
});

Deno.test("streamJournal refuses a number of lines that it can't look for, and lines from an offset", async () => {
  using journal = new JournalFixture();
  const invalid = (error: unknown) => error instanceof EngineError && error.kind === "invalid";
  for (const tailLines of [-1, 0.5, NaN, Infinity, 1_000_001]) {
    await assert.rejects(journal.read({ tailLines }), invalid);
  }
  await assert.rejects(journal.read({ tailLines: 1, offset: 64 }), invalid);
});

Deno.test("streamJournal shows what was read from the program at a time or later, and before another", async () => {
  using journal = new JournalFixture();
  const [, , c, d] = journal.append(output("a"), output("b", "stderr"), output("c"), output("d"), EXIT);
  const read = async (query: { sinceNs?: bigint; untilNs?: bigint }) => textOf(await journal.read(query));
  assert.equal(await read({ sinceNs: T0 + 1n }), "bcd");
  assert.equal(await read({ untilNs: T0 + 2n }), "ab");
  assert.equal(await read({ sinceNs: T0 + 1n, untilNs: T0 + 3n }), "bc");
  assert.equal(await read({ sinceNs: T0 + 9n }), "");
  assert.equal(await read({ untilNs: T0 }), "");
  const last = (await journal.read({ untilNs: T0 + 3n })).at(-1)!;
  assert.deepEqual([last.nextOffset, last.end], [d, false]);
  assert.equal(
    textOf(await journal.read({ sinceNs: T0 + 1n, untilNs: T0 + 3n, tailLines: 1, streams: ["stdout"] })),
    "bc".slice(1),
  );
  assert.equal(textOf(await journal.read({ sinceNs: T0 + 3n, offset: c! })), "d");
});

Deno.test("streamJournal tells of a damaged place unless the frame behind it is too old for the query", async () => {
  using journal = new JournalFixture();
  const [, damaged] = journal.append(output("a"), output("bcd"), output("e"), output("f"));
  journal.flip(damaged! + 24);
  const told = async (sinceNs: bigint) => missing(await journal.read({ sinceNs }));
  assert.deepEqual(await told(T0), [3]);
  assert.deepEqual(await told(T0 + 1n), [3]);
  assert.deepEqual(await told(T0 + 2n), [3]);
  assert.deepEqual(await told(T0 + 3n), []);
});

Deno.test("streamJournal tells what was removed if any of it may be of the time asked for", async () => {
  using journal = new JournalFixture();
  const offsets = journal.append({ type: "started" }, ...Array.from({ length: 9 }, () => output("0123456789")));
  journal.trim(offsets[5]!);
  const told = async (query: { sinceNs?: bigint; untilNs?: bigint }) => missing(await journal.read(query));
  assert.deepEqual(await told({ sinceNs: T0 + 4n }), [40]);
  assert.deepEqual(await told({ sinceNs: T0 + 5n }), []);
  assert.deepEqual(await told({ untilNs: T0 + 2n }), [40]);
  assert.deepEqual(await told({ untilNs: T0 }), []);
});

Deno.test("streamJournal following until a time ends when it has passed, or at the first frame of that time", async () => {
  using journal = new JournalFixture();
  journal.append(output("a"), output("b"));
  const past = await journal.read({ follow: true, untilNs: T0 + 1n });
  assert.equal(textOf(past), "a");
  const soon = BigInt(Date.now()) * 1_000_000n + 20_000_000n;
  const batches = await journal.read({ follow: true, untilNs: soon });
  assert.equal(textOf(batches), "ab");
  assert.deepEqual([batches.at(-1)?.end, batches.at(-1)?.nextOffset], [false, journal.offset]);
  assert(BigInt(Date.now()) * 1_000_000n >= soon);
  assert.equal(journal.subscriptions, 0);
});
