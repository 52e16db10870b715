import assert from "node:assert/strict";
import fc from "fast-check";
import { EngineError } from "../errors.ts";
import { EXIT, JournalFixture, output, textOf } from "./_journal_fixture.ts";
import { compressJournal } from "./compress_journal.ts";
import { compressedPath } from "./compressed_journal.ts";
import { encodeFrame } from "./frame.ts";
import { openJournal } from "./journal_file.ts";
import { readOutcome } from "./last_frame.ts";
import type { LogPiece } from "./log.ts";

const { signal } = new AbortController();

/** Replaces the fixture's journal by its compressed form. */
async function compress(journal: JournalFixture): Promise<void> {
  assert(await compressJournal(journal.path, compressedPath(journal.path), Infinity, signal));
  await Deno.remove(journal.path);
}

/** Numbered lines of about so many bytes, in frames of some size. */
function writeText(journal: JournalFixture, bytes: number): void {
  let text = "";
  for (let i = 0; text.length < bytes; i++) text += `line ${i} of ${bytes}\n`;
  journal.append({ type: "started" }, ...text.match(/[^]{1,7000}/g)!.map((part) => output(part)), EXIT);
}

Deno.test("A compressed journal gives the same bytes at every offset, and zeros for holes", async () => {
  using journal = new JournalFixture();
  writeText(journal, 900_000);
  journal.overwrite(300_000, new Uint8Array(400_000));
  const whole = Deno.readFileSync(journal.path);
  await compress(journal);
  assert(Deno.statSync(compressedPath(journal.path)).size < whole.length / 3);
  using reader = await openJournal(journal.path);
  assert.equal(reader.size, whole.length);
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length + 10), fc.nat(600_000), async (offset, length) => {
      assert.deepEqual(await reader.readAt(offset, length), whole.slice(offset, offset + length));
    }),
    { numRuns: 100 },
  );
});

Deno.test("A compressed journal keeps pieces, offsets and outcome, also of a trimmed one", async () => {
  for (const trimmed of [false, true]) {
    using journal = new JournalFixture();
    writeText(journal, 1_500_000);
    if (trimmed) journal.trim(1_000_000);
    const before = [await journal.read(), await journal.read({ tailLines: 7 }), await readOutcome(journal.path)];
    await compress(journal);
    journal.end();
    const after = [await journal.read(), await journal.read({ tailLines: 7 }), await readOutcome(journal.path)];
    assert.deepEqual(after, before);
    assert.deepEqual(await readOutcome(journal.path, { trustTail: true }), before[2]);
  }
});

Deno.test("A journal of which nearly all was removed is compressed without a walk through the hole", async () => {
  using journal = new JournalFixture();
  const nextOffset = 2 ** 40 + 12_345;
  const body = {
    type: "removed",
    stdoutBytes: 2 ** 39,
    stderrBytes: 0,
    nextOffset,
    startedNs: 1n,
    timeout: false,
  } as const;
  journal.write(encodeFrame(body, { offset: 64, timeNs: 5n, sequence: 0 }));
  journal.overwrite(nextOffset, encodeFrame(output("kept"), { offset: nextOffset, timeNs: 6n, sequence: 9 }));
  await compress(journal);
  assert(Deno.statSync(compressedPath(journal.path)).size < 4096);
  const batches = await journal.read();
  assert.equal(textOf(batches), "kept");
  assert.equal(batches[0]!.pieces[0]!.missingBytes, 2 ** 39);
});

Deno.test("A damaged compressed journal is refused or tells what is missing, and never gives wrong bytes", async () => {
  using journal = new JournalFixture();
  writeText(journal, 700_000);
  journal.end();
  const pieces = (batches: readonly { readonly pieces: readonly LogPiece[] }[]) =>
    batches.flatMap((batch) => batch.pieces);
  const right = new Map(pieces(await journal.read()).map((piece) => [piece.offset, piece.data]));
  await compress(journal);
  const path = compressedPath(journal.path);
  const good = Deno.readFileSync(path);
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (place, change) => {
      const bad = good.slice();
      bad[place]! ^= change;
      Deno.writeFileSync(path, bad);
      try {
        const found = pieces(await journal.read());
        const missing = found.filter((piece) => piece.missingBytes > 0);
        for (const piece of found) {
          if (piece.missingBytes === 0) assert.deepEqual(piece.data, right.get(piece.offset));
        }
        assert(missing.length > 0, `byte ${place} changed`);
      } catch (error) {
        assert(error instanceof EngineError && error.kind === "precondition", String(error));
        refused++;
      }
    }),
    // Blocks, index and trailer are of very different sizes: the ends of the file get their share.
    { numRuns: 120, examples: [[10, 1], [63, 1], [64, 1], [good.length - 1, 1], [good.length - 60, 9]] },
  );
  assert(refused >= 4);
  for (const length of [0, 63, 100, good.length - 1]) {
    Deno.writeFileSync(path, good.subarray(0, length));
    await assert.rejects(
      openJournal(journal.path),
      (error) => error instanceof EngineError && error.kind === "precondition",
    );
  }
});

Deno.test("A damaged first block costs its own output only", async () => {
  using journal = new JournalFixture();
  writeText(journal, 700_000);
  const all = textOf(await journal.read());
  await compress(journal);
  using file = Deno.openSync(compressedPath(journal.path), { write: true });
  file.seekSync(70, Deno.SeekMode.Start);
  file.writeSync(new Uint8Array(20));
  const kept = textOf(await journal.read());
  assert(kept.length > 400_000 && all.endsWith(kept));
  assert.equal((await readOutcome(journal.path)).kind, "exited");
});

Deno.test("compressJournal gives up when it is told to, or when nothing is gained, and leaves no file", async () => {
  using journal = new JournalFixture();
  writeText(journal, 700_000);
  const target = compressedPath(journal.path);
  assert.equal(await compressJournal(journal.path, target, Infinity, AbortSignal.abort()), false);
  assert.equal(await compressJournal(journal.path, target, 1000, signal), false);
  await assert.rejects(Deno.stat(target), Deno.errors.NotFound);
});
