import assert from "node:assert/strict";
import { EXIT, JournalFixture, output } from "./_journal_fixture.ts";
import { encodeFrame, FRAME_HEADER_SIZE } from "./frame.ts";
import { readOutcome } from "./last_frame.ts";
import { decodeWaitStatus } from "./wait_status.ts";

const T0 = 10n ** 18n;

Deno.test("readOutcome gives the exit frame's contents, with and without a look at the tail", async () => {
  using journal = new JournalFixture();
  journal.append({ type: "started" }, output("x".repeat(60_000)), output("y"), EXIT);
  const { type: _, ...contents } = EXIT;
  const expected = { kind: "exited", exit: { kind: "exited", code: 7 }, startedNs: T0, timeNs: T0 + 3n, ...contents };
  assert.deepEqual(await readOutcome(journal.path), expected);
  assert.deepEqual(await readOutcome(journal.path, { trustTail: true }), expected);
});

Deno.test("readOutcome gives errno and step of a failed start, with and without a look at the tail", async () => {
  using journal = new JournalFixture();
  journal.append({ type: "start_failed", errno: 2, step: 17 });
  for (const trustTail of [false, true]) {
    const expected = { kind: "start_failed", errno: 2, step: 17, timeNs: T0 };
    assert.deepEqual(await readOutcome(journal.path, { trustTail }), expected);
  }
});

Deno.test("readOutcome of a journal without an end tells what is known and where the whole frames end", async () => {
  using journal = new JournalFixture();
  const open = { kind: "open", started: false, timeout: false, torn: false };
  assert.deepEqual(await readOutcome(journal.path), { ...open, validEnd: 64 });
  journal.append({ type: "started" }, output("abc"));
  const started = { ...open, started: true, startedNs: T0 };
  assert.deepEqual(await readOutcome(journal.path), { ...started, validEnd: journal.offset });
  journal.append({ type: "timeout" });
  const validEnd = journal.offset;
  assert.deepEqual(await readOutcome(journal.path), { ...started, timeout: true, validEnd });
  journal.write(journal.encode(EXIT).subarray(0, 71));
  for (const trustTail of [false, true]) {
    assert.deepEqual(await readOutcome(journal.path, { trustTail }), {
      ...started,
      timeout: true,
      validEnd,
      torn: true,
    });
  }
});

Deno.test("readOutcome calls a zero-filled tail torn", async () => {
  using journal = new JournalFixture();
  journal.append({ type: "started" });
  journal.write(new Uint8Array(4096));
  const expected = { kind: "open", started: true, startedNs: T0, timeout: false, validEnd: 88, torn: true };
  assert.deepEqual(await readOutcome(journal.path, { trustTail: true }), expected);
});

Deno.test("readOutcome finds the end behind damaged frames", async () => {
  using journal = new JournalFixture();
  const [, damaged] = journal.append({ type: "started" }, output("a".repeat(50_000)), output("b"), EXIT);
  journal.flip(damaged! + 4);
  journal.flip(damaged! + 1000);
  assert.equal((await readOutcome(journal.path)).kind, "exited");
});

Deno.test("readOutcome is not fooled by output that looks like an exit frame at its own place", async () => {
  using journal = new JournalFixture();
  const forged = encodeFrame({ ...EXIT, waitStatus: 0 }, {
    offset: journal.offset + FRAME_HEADER_SIZE,
    timeNs: T0,
    sequence: 1,
  });
  journal.append({ type: "output", stream: "stdout", data: forged });
  assert.equal((await readOutcome(journal.path)).kind, "open");
});

Deno.test("decodeWaitStatus tells an exit code from a signal, also with a core dump", () => {
  assert.deepEqual(decodeWaitStatus(0), { kind: "exited", code: 0 });
  assert.deepEqual(decodeWaitStatus(255 << 8), { kind: "exited", code: 255 });
  assert.deepEqual(decodeWaitStatus(9), { kind: "signaled", signal: 9 });
  assert.deepEqual(decodeWaitStatus(0x80 | 11), { kind: "signaled", signal: 11 });
});
