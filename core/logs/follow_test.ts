import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { EngineError } from "../errors.ts";
import { EXIT, JournalFixture, output, textOf } from "./_journal_fixture.ts";
import { deleteJournal } from "./journal_file.ts";
import type { JournalBatch } from "./log.ts";
import type { LogPiece } from "./log.ts";

const GAP = { type: "gap", stream: "stderr", reason: "unwritten", missingBytes: 5000, errno: 28 } as const;

/** What a piece says, without its time. */
function summary(pieces: readonly LogPiece[]) {
  return pieces.map(({ offset, stream, data, missingBytes }) =>
    missingBytes > 0 ? [offset, stream, missingBytes] : [offset, stream, new TextDecoder().decode(data)]
  );
}

function allPieces(batches: readonly JournalBatch[]): LogPiece[] {
  return batches.flatMap((batch) => batch.pieces);
}

const invalid = (error: unknown) =>
  error instanceof EngineError && error.kind === "invalid" && /from offset '\d+': it must be 0 or/.test(error.message);

Deno.test("streamJournal gives every piece with its offset, stream and time, and the end", async () => {
  using journal = new JournalFixture();
  const [, a, b, gap] = journal.append({ type: "started" }, output("out"), output("err", "stderr"), GAP, EXIT);
  const batches = await journal.read();
  assert.equal(batches.length, 1);
  assert.deepEqual(summary(batches[0]!.pieces), [[a, "stdout", "out"], [b, "stderr", "err"], [gap, "stderr", 5000]]);
  assert.deepEqual(batches[0]!.pieces.map((piece) => piece.timeNs - 10n ** 18n), [1n, 2n, 3n]);
  assert.deepEqual([batches[0]!.nextOffset, batches[0]!.end], [journal.offset, true]);
});

Deno.test("streamJournal without follow ends at the end of an open journal and says that it is not the end", async () => {
  using journal = new JournalFixture();
  assert.deepEqual(await journal.read(), [{ pieces: [], nextOffset: 64, end: false }]);
  journal.append({ type: "started" }, output("so far"));
  const batches = await journal.read();
  assert.equal(textOf(batches), "so far");
  assert.deepEqual(batches.map((batch) => batch.end), [false]);
  assert.deepEqual(await journal.read({ offset: journal.offset }), []);
});

Deno.test("streamJournal without follow does not run after a writer that is faster than its reader", async () => {
  using journal = new JournalFixture();
  journal.append(output("first"));
  const seen: JournalBatch[] = [];
  for await (const batch of journal.stream()) {
    seen.push(batch);
    journal.append(output("more"));
  }
  assert.equal(textOf(seen), "first");
});

Deno.test("streamJournal gives only the streams asked for and passes the others", async () => {
  using journal = new JournalFixture();
  journal.append(output("a"), output("b", "stderr"), GAP, output("c"));
  assert.equal(textOf(await journal.read({ streams: ["stdout"] })), "ac");
  assert.equal(textOf(await journal.read({ streams: ["stderr"] })), "b");
  assert.equal(textOf(await journal.read({ streams: [] })), "abc");
  assert.equal(allPieces(await journal.read({ streams: ["stdout"] })).some((piece) => piece.missingBytes > 0), false);
  const resumed = await journal.read({ streams: ["stderr"], offset: journal.append(output("d"))[0]! });
  assert.deepEqual(resumed, [{ pieces: [], nextOffset: journal.offset, end: false }]);
});

Deno.test("streamJournal resumes after every frame without a loss or a repetition", async () => {
  using journal = new JournalFixture();
  const texts = Array.from({ length: 20 }, (_, i) => `line ${i}\n`);
  const offsets = journal.append(...texts.map((text, i) => output(text, i % 3 === 0 ? "stderr" : "stdout")), EXIT);
  for (const [i, offset] of offsets.entries()) {
    assert.equal(textOf(await journal.read({ offset })), texts.slice(i).join(""));
  }
  journal.end();
  assert.deepEqual(await journal.read({ offset: journal.offset }), [{
    pieces: [],
    nextOffset: journal.offset,
    end: true,
  }]);
});

Deno.test("streamJournal refuses an offset beyond the end or between two frames", async () => {
  using journal = new JournalFixture();
  journal.append(output("some output, long enough"), output("more"), EXIT);
  const boundaries = new Set([64, 64 + 24 + 24, 64 + 24 + 24 + 28, journal.offset]);
  for (const over of [false, true]) {
    if (over) journal.end();
    for (let offset = 1; offset <= journal.offset + 2; offset++) {
      if (boundaries.has(offset)) continue;
      await assert.rejects(journal.read({ offset }), invalid, `offset ${offset}`);
    }
    for (const offset of [-64, 64.5, NaN, Infinity]) await assert.rejects(journal.read({ offset }), EngineError);
  }
});

Deno.test("streamJournal following hands out each write at once and ends at the exit frame", async () => {
  using journal = new JournalFixture();
  const stream = journal.stream({ follow: true });
  journal.append({ type: "started" }, output("1"));
  assert.equal(textOf([(await stream.next()).value]), "1");
  for (const text of ["2", "3", "4"]) {
    const next = stream.next();
    journal.append(output(text));
    assert.equal(textOf([(await next).value]), text);
  }
  const next = stream.next();
  journal.append(EXIT);
  assert.deepEqual((await next).value, { pieces: [], nextOffset: journal.offset, end: true });
  assert.equal((await stream.next()).done, true);
  assert.equal(journal.subscriptions, 0);
});

Deno.test("streamJournal following does not miss what is written while it begins to watch", async () => {
  using journal = new JournalFixture();
  journal.onWatch = () => journal.append(output("just before the watch"), EXIT);
  assert.equal(textOf(await journal.read({ follow: true })), "just before the watch");
});

Deno.test("streamJournal following waits for the rest of a frame that is being written", async () => {
  using journal = new JournalFixture();
  journal.append(output("a"));
  const stream = journal.stream({ follow: true });
  await stream.next();
  const watching = Promise.withResolvers<void>();
  journal.onWatch = watching.resolve;
  const next = stream.next();
  await watching.promise;
  for (const byte of journal.encode(output("whole"))) {
    journal.write(Uint8Array.of(byte));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  assert.equal(textOf([(await next).value]), "whole");
  journal.end();
  assert.equal((await stream.next()).value?.end, true);
  assert.equal((await stream.next()).done, true);
});

Deno.test("streamJournal following ends without an exit frame when the writer is gone", async () => {
  using journal = new JournalFixture();
  journal.append({ type: "started" }, output("last words"));
  const stream = journal.stream({ follow: true });
  assert.equal((await stream.next()).value?.end, false);
  const next = stream.next();
  journal.end();
  assert.deepEqual((await next).value, { pieces: [], nextOffset: journal.offset, end: true });
  assert.equal((await stream.next()).done, true);
  assert.equal(journal.subscriptions, 0);
});

Deno.test("streamJournal tells the length of a dead writer's torn frame if its header is whole", async () => {
  using journal = new JournalFixture();
  journal.append(output("whole"));
  const torn = journal.offset;
  journal.write(journal.encode(output("x".repeat(500), "stderr")).subarray(0, 300));
  assert.equal(textOf(await journal.read()), "whole");
  journal.end();
  const batches = await journal.read();
  assert.deepEqual(summary(allPieces(batches)), [[64, "stdout", "whole"], [torn, "stderr", 500]]);
  assert.deepEqual([batches.at(-1)?.nextOffset, batches.at(-1)?.end], [torn + 300, true]);
  assert.deepEqual(summary(allPieces(await journal.read({ streams: ["stdout"] }))), [[64, "stdout", "whole"]]);
  assert.deepEqual(allPieces(await journal.read({ offset: torn + 300 })), []);
});

Deno.test("streamJournal drops a torn header, which tells nothing", async () => {
  using journal = new JournalFixture();
  journal.append(output("whole"));
  journal.write(journal.encode(output("torn")).subarray(0, 23));
  journal.end();
  const batches = await journal.read({ follow: true });
  assert.deepEqual(summary(allPieces(batches)), [[64, "stdout", "whole"]]);
  assert.equal(batches.at(-1)?.end, true);
});

Deno.test("streamJournal says how much a damaged frame held and goes on behind it", async () => {
  using journal = new JournalFixture();
  const [a, b, c] = journal.append(output("a"), output("damaged", "stderr"), output("c"), EXIT);
  journal.flip(b! + 24);
  const expected = [[a, "stdout", "a"], [b, "stderr", 7], [c, "stdout", "c"]];
  assert.deepEqual(summary(allPieces(await journal.read())), expected);
  assert.deepEqual(summary(allPieces(await journal.read({ follow: true }))), expected);
  assert.deepEqual(summary(allPieces(await journal.read({ offset: b! }))), expected.slice(1));
  assert.deepEqual(summary(allPieces(await journal.read({ streams: ["stdout"] }))), [expected[0], expected[2]]);
});

Deno.test("streamJournal counts the bytes it skips where a damaged header tells nothing", async () => {
  using journal = new JournalFixture();
  const [a, b, , d] = journal.append(output("a"), output("b"), output("c", "stderr"), output("d", "stderr"), EXIT);
  for (const offset of [16, 25, 41]) journal.flip(b! + offset);
  const pieces = allPieces(await journal.read({ streams: ["stderr"] }));
  assert.deepEqual(summary(pieces), [[b, "stderr", 50], [d, "stderr", "d"]]);
  assert.deepEqual(summary(allPieces(await journal.read())).slice(0, 2), [[a, "stdout", "a"], [b, "stdout", 50]]);
});

Deno.test("streamJournal finds the next frame behind a damaged place that is longer than what it reads at once", async () => {
  using journal = new JournalFixture();
  journal.append(output("before"));
  journal.write(new Uint8Array(700_000));
  journal.offset += 700_000;
  journal.append(output("after"), EXIT);
  const pieces = allPieces(await journal.read());
  assert.deepEqual(summary(pieces).map(([, , what]) => what), ["before", 700_000, "after"]);
});

Deno.test("streamJournal takes a zero-filled tail as being written until the writer is gone", async () => {
  using journal = new JournalFixture();
  journal.append(output("before"));
  const valid = journal.offset;
  journal.write(new Uint8Array(4096));
  const live = await journal.read();
  assert.deepEqual([textOf(live), live.at(-1)?.nextOffset, live.at(-1)?.end], ["before", valid, false]);
  journal.end();
  const dead = await journal.read();
  assert.deepEqual(summary(allPieces(dead)), [[64, "stdout", "before"], [valid, "stdout", 4096]]);
  assert.deepEqual([dead.at(-1)?.nextOffset, dead.at(-1)?.end], [valid + 4096, true]);
});

Deno.test("streamJournal aborted while it waits ends at once and leaves nothing behind", async () => {
  using journal = new JournalFixture();
  journal.append(output("a"));
  const abort = new AbortController();
  const stream = journal.stream({ follow: true, signal: abort.signal });
  await stream.next();
  const watching = Promise.withResolvers<void>();
  journal.onWatch = watching.resolve;
  const next = stream.next();
  await watching.promise;
  abort.abort();
  assert.deepEqual(await next, { done: true, value: undefined });
  assert.equal(journal.subscriptions, 0);
});

Deno.test("streamJournal left by its reader, or aborted before it begins, leaves nothing behind", async () => {
  using journal = new JournalFixture();
  journal.append(output("a"), EXIT);
  for await (const batch of journal.stream({ follow: true })) {
    assert.equal(batch.end, true);
    break;
  }
  assert.deepEqual(await journal.read({ follow: true, signal: AbortSignal.abort() }), []);
  assert.equal(journal.subscriptions, 0);
});

Deno.test("streamJournal of a journal that is deleted under it gives the rest", async () => {
  using journal = new JournalFixture();
  const data = new Uint8Array(60_000).fill(97);
  journal.append(...Array.from({ length: 20 }, () => ({ type: "output", stream: "stdout", data }) as const), EXIT);
  let bytes = 0;
  for await (const batch of journal.stream()) {
    await deleteJournal(journal.path);
    bytes += batch.pieces.reduce((sum, piece) => sum + piece.data.length, 0);
  }
  assert.equal(bytes, 20 * 60_000);
});

Deno.test("streamJournal without a journal throws not_found", async () => {
  using journal = new JournalFixture();
  await deleteJournal(journal.path);
  await assert.rejects(journal.read(), (error) => error instanceof EngineError && error.kind === "not_found");
});

Deno.test("streamJournal following is woken by the system's own file events", async () => {
  using journal = new JournalFixture();
  const watcher = {
    watch(path: string, onChange: () => void): Disposable {
      const events = Deno.watchFs(path);
      (async () => {
        for await (const _ of events) onChange();
      })();
      return { [Symbol.dispose]: () => events.close() };
    },
  };
  const stream = journal.stream({ follow: true, watcher });
  for (let i = 0; i < 20; i++) {
    const next = stream.next();
    journal.append(output(`${i}`));
    assert.equal(textOf([(await next).value]), `${i}`);
  }
  journal.append(EXIT);
  assert.equal((await stream.next()).value?.end, true);
  assert.equal((await stream.next()).done, true);
});
