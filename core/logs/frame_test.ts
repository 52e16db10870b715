import assert from "node:assert/strict";
import fc from "fast-check";
import { EXIT, output } from "./_journal_fixture.ts";
import { encodeFrame, EXIT_FRAME_SIZE, type FrameBody, MAX_PAYLOAD, START_FAILED_FRAME_SIZE } from "./frame.ts";
import { findFrame, parseFrames } from "./parse_frames.ts";

const u32 = fc.nat(0xffffffff);
const count = fc.nat(Number.MAX_SAFE_INTEGER);
const stream = fc.constantFrom("stdout" as const, "stderr" as const);
const body: fc.Arbitrary<FrameBody> = fc.oneof(
  fc.record({
    type: fc.constant("output" as const),
    stream,
    data: fc.uint8Array({ maxLength: 300 }).map((bytes) => Uint8Array.from(bytes)),
  }),
  fc.record({ type: fc.constantFrom("started" as const, "timeout" as const) }),
  fc.record({
    type: fc.constant("gap" as const),
    stream,
    reason: fc.constantFrom("unwritten" as const, "removed" as const),
    missingBytes: count,
    errno: u32,
  }),
);
const last: fc.Arbitrary<FrameBody> = fc.oneof(
  fc.record({ type: fc.constant("start_failed" as const), errno: u32, step: u32 }),
  fc.record({
    type: fc.constant("exit" as const),
    waitStatus: u32,
    timedOut: fc.boolean(),
    signalPassedOn: fc.boolean(),
    usage: fc.record({ userCpuUs: count, systemCpuUs: count, maxRssBytes: count }),
    stdoutBytes: count,
    stderrBytes: count,
  }),
);

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function encodeAll(bodies: readonly FrameBody[], start: number): Uint8Array<ArrayBuffer> {
  let offset = start;
  return concat(bodies.map((body, sequence) => {
    const bytes = encodeFrame(body, { offset, timeNs: BigInt(sequence) << 40n, sequence });
    offset += bytes.length;
    return bytes;
  }));
}

function damageOf(buffer: Uint8Array<ArrayBuffer>, offset = 64): string {
  const { problem } = parseFrames(buffer, offset);
  assert.ok(typeof problem === "object", `expected damage, got ${problem}`);
  assert.equal(problem.offset, offset);
  return problem.reason;
}

Deno.test("parseFrames gives back any frames that encodeFrame wrote, and how far it came in a cut buffer", () => {
  const frames = fc.tuple(fc.array(body), fc.option(last, { nil: undefined }));
  fc.assert(fc.property(frames, fc.nat(2 ** 45), fc.nat(), ([bodies, end], start, cut) => {
    const all = end ? [...bodies, end] : bodies;
    const whole = encodeAll(all, start);
    const buffer = whole.subarray(0, cut % (whole.length + 1));
    const { frames, consumed, problem } = parseFrames(buffer, start);
    assert.equal(problem, consumed < buffer.length ? "partial" : undefined);
    let offset = start;
    frames.forEach((frame, sequence) => {
      const { offset: at, size, timeNs, sequence: number, ...rest } = frame;
      assert.deepEqual([at, timeNs, number], [offset, BigInt(sequence) << 40n, sequence]);
      assert.deepEqual(rest, structuredClone(all[sequence])); // the clone has the usual prototypes
      offset += size;
    });
    assert.equal(offset - start, consumed);
    if (buffer.length === whole.length) assert.equal(frames.length, all.length);
  }));
});

Deno.test("parseFrames finds any single changed byte in a whole frame", () => {
  fc.assert(fc.property(fc.oneof(body, last), fc.nat(), fc.integer({ min: 1, max: 255 }), (body, place, change) => {
    const bytes = encodeAll([body], 64);
    bytes[place % bytes.length]! ^= change;
    const { frames, problem } = parseFrames(bytes, 64);
    assert.equal(frames.length, 0);
    assert.ok(problem === "partial" || problem?.kind === "damaged");
  }));
});

Deno.test("parseFrames refuses a frame that was moved to another offset", () => {
  assert.equal(damageOf(encodeAll([output("x")], 64), 65), "checksum does not fit");
});

Deno.test("parseFrames names what is wrong with a header", () => {
  const changed = (at: number, value: number) => {
    const bytes = encodeAll([output("hello")], 64);
    bytes[at] = value;
    return damageOf(bytes);
  };
  assert.equal(changed(6, 2), "length 131077 is over 65536");
  assert.equal(changed(16, 0), "type 0 is unknown");
  assert.equal(changed(16, 9), "type 9 is unknown");
  assert.equal(changed(16, 8), "length 5 does not fit type 8");
  assert.equal(changed(18, 1), "flags are set");
  assert.equal(changed(16, 3), "length 5 does not fit type 3");
  assert.equal(changed(24, 0), "checksum does not fit");
  assert.equal(damageOf(new Uint8Array(4096)), "type 0 is unknown");
});

Deno.test("parseFrames does not look beyond an exit frame", () => {
  const exit = encodeAll([EXIT], 64);
  const { frames, consumed, problem } = parseFrames(concat([exit, new Uint8Array(100)]), 64);
  assert.deepEqual([frames.length, consumed, problem], [1, exit.length, undefined]);
});

Deno.test("parseFrames takes a removed frame at the journal's start only, and does not look beyond it", () => {
  const removed = { type: "removed", stdoutBytes: 1, stderrBytes: 2, nextOffset: 2 ** 40, startedNs: 3n } as const;
  for (const timeout of [false, true]) {
    const bytes = concat([encodeAll([{ ...removed, timeout }], 64), new Uint8Array(100)]);
    const { frames, problem } = parseFrames(bytes, 64);
    const head = { offset: 64, size: 56, timeNs: frames[0]?.timeNs, sequence: frames[0]?.sequence };
    assert.deepEqual([frames, problem], [[{ ...removed, timeout, ...head }], undefined]);
  }
  const elsewhere = encodeAll([{ ...removed, timeout: false }], 65);
  assert.equal(damageOf(elsewhere, 65), "a removed frame stands only at the start");
});

Deno.test("encodeFrame writes the layout that init writes", () => {
  const bytes = encodeFrame(output("hi", "stderr"), { offset: 64, timeNs: 0x0102030405060708n, sequence: 9 });
  assert.equal(bytes.subarray(4).toHex(), "02000000" + "0807060504030201" + "0200" + "0000" + "09000000" + "6869");
  assert.equal(encodeAll([EXIT], 64).length, EXIT_FRAME_SIZE);
  assert.equal(encodeAll([{ type: "start_failed", errno: 2, step: 3 }], 64).length, START_FAILED_FRAME_SIZE);
});

Deno.test("encodeFrame takes a payload of 65536 bytes and refuses a longer one", () => {
  const head = { offset: 64, timeNs: 0n, sequence: 0 };
  const frame = (length: number): FrameBody => ({ type: "output", stream: "stdout", data: new Uint8Array(length) });
  assert.equal(parseFrames(encodeFrame(frame(MAX_PAYLOAD), head), 64).frames[0]?.size, MAX_PAYLOAD + 24);
  assert.throws(() => encodeFrame(frame(MAX_PAYLOAD + 1), head), /Cannot write a frame of 65537 bytes/);
});

Deno.test("findFrame finds the first whole frame behind any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), body, (junk, body) => {
    const frame = encodeAll([body], 64 + junk.length);
    const buffer = concat([Uint8Array.from(junk), frame]);
    assert.equal(findFrame(buffer, 0, 64, true).at, junk.length);
  }));
});

Deno.test("findFrame stops at a place that more bytes could turn into a frame, unless nothing follows", () => {
  const frame = encodeAll([output("hello")], 64 + 10);
  const buffer = concat([new Uint8Array(10), frame.subarray(0, 26)]);
  assert.deepEqual(findFrame(buffer, 0, 64, false), { at: -1, untested: 10 });
  assert.equal(findFrame(buffer, 0, 64, true).at, -1);
});
