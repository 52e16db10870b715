import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import fc from "fast-check";
import { EXIT, JournalFixture } from "./_journal_fixture.ts";
import type { LogStreamName } from "./log.ts";

interface Written {
  readonly stream: LogStreamName;
  readonly data: Uint8Array<ArrayBuffer>;
}

const frames: fc.Arbitrary<Written[]> = fc.array(
  fc.record({
    stream: fc.constantFrom<LogStreamName>("stdout", "stderr"),
    data: fc.oneof(
      { weight: 5, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Uint8Array.from(bytes)) },
      { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 65_536 }).map((size) => new Uint8Array(size).fill(size)) },
    ),
  }),
  { maxLength: 20 },
);

/** Gives other parts of the program their turn. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Appends the frames' bytes in pieces that end anywhere, waiting a turn after some. */
async function writeInPieces(
  journal: JournalFixture,
  written: readonly Written[],
  cuts: readonly number[],
): Promise<void> {
  const parts = written.map((frame) => journal.encode({ type: "output", ...frame }));
  const bytes = new Uint8Array(await new Blob([...parts, journal.encode(EXIT)]).arrayBuffer());
  const ends = [...cuts.map((cut) => cut % bytes.length), bytes.length].sort((a, b) => a - b);
  let at = 0;
  for (const end of ends) {
    journal.write(bytes.subarray(at, end));
    at = end;
    if (end % 3 !== 0) await turn();
  }
}

/** Follows to the end, going away and coming back with the last offset after so many batches as `stops` says. */
async function follow(
  journal: JournalFixture,
  streams: readonly LogStreamName[],
  stops: readonly number[],
): Promise<string> {
  let received = "";
  let offset = 0;
  for (const stop of [...stops, Infinity]) {
    const abort = new AbortController();
    let batches = 0;
    for await (const batch of journal.stream({ follow: true, streams, offset, signal: abort.signal })) {
      for (const piece of batch.pieces) received += piece.data.toHex();
      offset = batch.nextOffset;
      if (batch.end) return received;
      if (++batches >= stop) abort.abort();
    }
  }
  throw new Error("The stream ended before its end");
}

Deno.test("streamJournal gives two followers all bytes once, wherever writes are cut and followers stop", async () => {
  const cuts = fc.array(fc.nat(), { maxLength: 12 });
  const stops = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(frames, cuts, stops, stops, async (written, cuts, stopsA, stopsB) => {
      using journal = new JournalFixture();
      const [, both, errors] = await Promise.all([
        writeInPieces(journal, written, cuts),
        follow(journal, [], stopsA),
        follow(journal, ["stderr"], stopsB),
      ]);
      assert.equal(both, written.map(({ data }) => data.toHex()).join(""));
      assert.equal(
        errors,
        written.filter(({ stream }) => stream === "stderr").map(({ data }) => data.toHex()).join(""),
      );
      assert.equal(journal.subscriptions, 0);
    }),
    { numRuns: 150 },
  );
});
